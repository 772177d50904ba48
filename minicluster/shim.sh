#!/bin/sh
# `yarn`, `hadoop` and `hdfs` without a Hadoop installation: the class path that skein and libhdfs ask for, the commands that a user
# reaches for, and the daemons (docker-compose.yml starts them so).
classpath="@CONF@:$(echo @LIB@/*.jar | tr ' ' ':')${HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}"
command=$1
[ $# -gt 0 ] && shift
case $command in
  classpath) echo "$classpath"; exit 0;;
  fs | dfs) class=org.apache.hadoop.fs.FsShell;;
  namenode) class=org.apache.hadoop.hdfs.server.namenode.NameNode;;
  datanode) class=org.apache.hadoop.hdfs.server.datanode.DataNode;;
  resourcemanager) class=org.apache.hadoop.yarn.server.resourcemanager.ResourceManager;;
  nodemanager) class=org.apache.hadoop.yarn.server.nodemanager.NodeManager;;
  dfsadmin) class=org.apache.hadoop.hdfs.tools.DFSAdmin;;
  application | app | applicationattempt | container) class=org.apache.hadoop.yarn.client.cli.ApplicationCLI; set -- "$command" "$@";;
  node) class=org.apache.hadoop.yarn.client.cli.NodeCLI;;
  queue) class=org.apache.hadoop.yarn.client.cli.QueueCLI;;
  logs) class=org.apache.hadoop.yarn.client.cli.LogsCLI;;
  rmadmin) class=org.apache.hadoop.yarn.client.cli.RMAdminCLI;;
  jar) class=org.apache.hadoop.util.RunJar;;
  version) class=org.apache.hadoop.util.VersionInfo;;
  *) echo "$0: no command '$command' here" >&2
     echo "use one of: classpath fs dfs dfsadmin application applicationattempt container node queue logs rmadmin jar version namenode datanode resourcemanager nodemanager" >&2
     exit 2;;
esac
exec @JAVA@ -cp "$classpath" "$class" "$@"
