import os
import pwd

import pytest

from client.errors import ENVIRONMENT, ClientError
from client.hadoop.configuration import HadoopConfiguration
from client.hadoop.xml import Property, read, render


def site(*entries: str) -> str:
    properties = (entry if entry.startswith("<") else prop(*entry.split("=", 1)) for entry in entries)
    return f"<?xml version='1.0'?>\n<configuration xmlns:xi='http://www.w3.org/2001/XInclude'>{''.join(properties)}</configuration>"


def prop(name: str, value: str, *, final: bool = False) -> str:
    return f"<property><name>{name}</name><value>{value}</value>{'<final>true</final>' if final else ''}</property>"


@pytest.fixture
def load(tmp_path):
    """Returns the configuration made of these files, yarn-site.xml being empty unless given."""

    def load(environ=None, **files):
        for name, text in {"yarn_site": site(), **files}.items():
            (tmp_path / f"{name.replace('_', '-')}.xml").write_text(text)
        return HadoopConfiguration.load({"HADOOP_CONF_DIR": str(tmp_path), **(environ or {})})

    return load


def yarn_site_below(directory, *entries):
    directory.mkdir(parents=True)
    (directory / "yarn-site.xml").write_text(site(*entries))
    return str(directory)


@pytest.mark.parametrize("variables", [("HADOOP_CONF_DIR", "YARN_CONF_DIR", "HADOOP_HOME"), ("YARN_CONF_DIR", "HADOOP_HOME")])
def test_the_first_variable_that_is_set_decides(tmp_path, variables):
    environ = {name: yarn_site_below(tmp_path / name, f"from={name}") for name in variables}
    assert HadoopConfiguration.load(environ).get("from") == variables[0]


def test_hadoop_home_has_it_in_etc_hadoop(tmp_path):
    yarn_site_below(tmp_path / "etc" / "hadoop", "from=home")
    hadoop = HadoopConfiguration.load({"HADOOP_CONF_DIR": "", "HADOOP_HOME": str(tmp_path)})
    assert (hadoop.get("from"), hadoop.conf_dir) == ("home", tmp_path / "etc" / "hadoop")


@pytest.mark.parametrize("variable", ["HADOOP_CONF_DIR", "YARN_CONF_DIR", "HADOOP_HOME"])
def test_a_variable_that_points_elsewhere_is_named(tmp_path, variable):
    yarn_site_below(tmp_path / "good" / "etc" / "hadoop")
    environ = {"HADOOP_HOME": str(tmp_path / "good"), variable: str(tmp_path)}
    with pytest.raises(ClientError, match=f"no yarn-site.xml in {tmp_path}.*, where {variable} points") as raised:
        HadoopConfiguration.load(environ)
    assert raised.value.exit_code == ENVIRONMENT
    assert "set HADOOP_CONF_DIR" in raised.value.remedy


def test_later_files_override_earlier_ones_and_final_ones_stay(load):
    hadoop = load(
        core_site=site("a=core", "b=core", prop("c", "core", final=True)),
        hdfs_site=site("b=hdfs"),
        yarn_site=site("b=yarn", "c=yarn", "d=first", "d=second"),
        resource_types=site("d=types"),
    )
    assert [hadoop.get(key) for key in "abcd"] == ["core", "yarn", "core", "types"]


def test_what_is_not_set_has_the_default_given(load):
    hadoop = load(yarn_site=site("empty=", "<property><name>none</name></property>"))
    assert hadoop.get("a") is None
    assert [hadoop.get(key, "b") for key in ("a", "empty", "none")] == ["b", "b", "b"]


def test_an_empty_value_overrides_nothing(load):
    assert load(core_site=site("a=1"), yarn_site=site("a=")).get("a") == "1"


@pytest.mark.parametrize(
    ("value", "expanded"),
    [
        ("/data/${a.b}/c", "/data/x/c"),
        ("${a.b}${a.b}", "xx"),
        ("${via}", "x"),
        ("${${key}}", "x"),
        ("${user.name}", pwd.getpwuid(os.getuid()).pw_name),
        ("${env.HOST}:1", "node7:1"),
        ("${env.EMPTY}|${env.EMPTY-unset}|${env.EMPTY:-empty}", "||empty"),
        ("${env.UNSET-a-b}${env.UNSET:-/d}", "a-b/d"),
        ("${env.UNSET}/${unknown}", "${env.UNSET}/${unknown}"),
        ("${loop}", "${loop}"),
        ("  x ", "x"),
    ],
)
def test_variables_are_expanded_as_hadoop_does(load, value, expanded):
    hadoop = load({"HOST": "node7", "EMPTY": ""}, yarn_site=site("a.b=x", "via=${a.b}", "key=a.b", "loop=${loop}", f"value={value}"))
    assert hadoop.get("value") == expanded


def test_includes_are_read_in_place(load, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "more.xml").write_text(site("a=2", "b=2", "<xi:include href='deeper.xml'/>"))
    (tmp_path / "sub" / "deeper.xml").write_text(site("c=3"))
    hadoop = load(yarn_site=site("a=1", "<xi:include href='sub/more.xml'/>", "b=4"))
    assert [hadoop.get(key) for key in "abc"] == ["2", "4", "3"]


def test_a_missing_include_has_its_fallback(load):
    fallback = "<xi:include href='no.xml'><xi:fallback><property><name>a</name><value>1</value></property></xi:fallback></xi:include>"
    assert load(yarn_site=site(fallback)).get("a") == "1"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("<configuration><property>", "yarn-site.xml is not well-formed XML: no element found: line 1"),
        ("", "yarn-site.xml is not well-formed XML: no element found"),
        ("<html/>", "yarn-site.xml has the root <html>, where <configuration> was expected"),
        (site("<xi:include href='no.xml'/>"), "yarn-site.xml includes 'no.xml', which is no file here"),
        (site("<xi:include href='http://example.com/more.xml'/>"), "includes 'http://example.com/more.xml', which is no file here"),
        (site("<xi:include href='yarn-site.xml'/>"), "yarn-site.xml includes yarn-site.xml, which is being read already"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(load, text, cause):
    with pytest.raises(ClientError, match=cause) as raised:
        load(yarn_site=text)
    assert raised.value.exit_code == ENVIRONMENT


def test_an_unreadable_file_is_an_error(tmp_path):
    (tmp_path / "yarn-site.xml").mkdir()
    with pytest.raises(ClientError, match=r"yarn-site\.xml can't be read: Is a directory"):
        HadoopConfiguration.load({"HADOOP_CONF_DIR": str(tmp_path)})


def test_what_is_rendered_reads_the_same(tmp_path):
    properties = (Property("a", "x <&> ü ${b}"), Property("b", " 1\n2 ", final=True), Property("c", ""))
    (tmp_path / "site.xml").write_bytes(render(properties))
    assert read(tmp_path / "site.xml") == properties


def test_properties_may_be_attributes_or_nested(tmp_path):
    nested = "<configuration><property name='b' value='2'><final>true</final></property></configuration>"
    (tmp_path / "site.xml").write_text(site("<property name='a' value='1' final='true'/>", nested))
    assert read(tmp_path / "site.xml") == (Property("a", "1", final=True), Property("b", "2", final=True))


HA = ("yarn.resourcemanager.ha.enabled=true", "yarn.resourcemanager.ha.rm-ids=rm1, rm2")


@pytest.mark.parametrize(
    ("entries", "urls"),
    [
        (["yarn.resourcemanager.webapp.address=rm:9000", "yarn.resourcemanager.hostname=other"], ["http://rm:9000"]),
        (["yarn.resourcemanager.hostname=rm"], ["http://rm:8088"]),
        (["yarn.resourcemanager.hostname=rm", "yarn.resourcemanager.webapp.address=${yarn.resourcemanager.hostname}:1"], ["http://rm:1"]),
        ([], ["http://localhost:8088"]),
        (["yarn.resourcemanager.webapp.address=0.0.0.0:9000"], ["http://localhost:9000"]),
        (["yarn.resourcemanager.webapp.address=rm"], ["http://rm:8088"]),
        (["yarn.http.policy=HTTPS_ONLY", "yarn.resourcemanager.hostname=rm"], ["https://rm:8090"]),
        (["yarn.http.policy=HTTPS_ONLY", "yarn.resourcemanager.webapp.https.address=rm:1"], ["https://rm:1"]),
        (
            [*HA, "yarn.resourcemanager.hostname.rm1=a", "yarn.resourcemanager.webapp.address.rm2=b:9000"],
            ["http://a:8088", "http://b:9000"],
        ),
        ([HA[1], "yarn.resourcemanager.hostname=rm"], ["http://rm:8088"]),
        ([HA[0], "yarn.resourcemanager.hostname=rm"], ["http://rm:8088"]),
    ],
)
def test_addresses_of_resourcemanagers(load, entries, urls):
    assert load(yarn_site=site(*entries)).resourcemanager_urls() == tuple(urls)


@pytest.mark.parametrize(
    ("entries", "uri"),
    [
        (["fs.defaultFS=hdfs://nn:8020"], "hdfs://nn:8020"),
        (["fs.default.name=hdfs://old:8020"], "hdfs://old:8020"),
        ([], "file:///"),
    ],
)
def test_default_filesystem(load, entries, uri):
    assert load(core_site=site(*entries)).default_filesystem() == uri
