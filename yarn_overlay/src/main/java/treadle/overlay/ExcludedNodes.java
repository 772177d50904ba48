package treadle.overlay;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateRequest;
import org.apache.hadoop.yarn.api.records.ResourceBlacklistRequest;
import org.apache.hadoop.yarn.api.records.ResourceRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The nodes that a file names, one host a line, as YARN's blacklist. Below AMRMClient, because that refuses a label expression
 * together with named nodes. Used by AMRMClient's one heartbeat thread.
 */
final class ExcludedNodes {

  private static final Logger LOG = LoggerFactory.getLogger(ExcludedNodes.class);

  private final File file;
  private Set<String> wanted = new TreeSet<>();
  private final Set<String> surelyExcluded = new HashSet<>();
  private final Set<String> perhapsExcluded = new TreeSet<>();
  private boolean complained;

  ExcludedNodes(File file) {
    this.file = file;
  }

  /** Adds what the ResourceManager doesn't know yet to a request that is ours to change; the lists in it stay as they are. */
  void addTo(AllocateRequest request) {
    read();
    Set<String> additions = new TreeSet<>(wanted);
    additions.removeAll(surelyExcluded);
    Set<String> removals = new TreeSet<>(perhapsExcluded);
    removals.removeAll(wanted);
    perhapsExcluded.addAll(wanted);
    ResourceBlacklistRequest theirs = request.getResourceBlacklistRequest();
    if (theirs != null) {
      removals.addAll(orNone(theirs.getBlacklistRemovals()));
      removals.removeAll(orNone(theirs.getBlacklistAdditions()));
      removals.removeAll(wanted); // the ResourceManager adds first, so that a removal would win
      additions.addAll(orNone(theirs.getBlacklistAdditions()));
    }
    if (theirs != null || !additions.isEmpty() || !removals.isEmpty()) {
      request.setResourceBlacklistRequest(
          ResourceBlacklistRequest.newInstance(new ArrayList<>(additions), new ArrayList<>(removals)));
    }
  }

  /** The ResourceManager answered the request that was last added to. */
  void accepted() {
    surelyExcluded.clear();
    surelyExcluded.addAll(wanted);
    perhapsExcluded.clear();
    perhapsExcluded.addAll(wanted);
  }

  /** Nobody knows whether the call arrived, or the ResourceManager forgot everything (a resync): all is sent again. */
  void failed() {
    surelyExcluded.clear();
  }

  /** Each time, since a file that is replaced twice within the clock's granularity can't be told by its attributes. */
  private void read() {
    Set<String> hosts = new TreeSet<>();
    try {
      for (String line : Files.readAllLines(file.toPath(), StandardCharsets.UTF_8)) {
        hosts.add(line.trim());
      }
    } catch (NoSuchFileException e) {
      hosts.clear(); // nobody is excluded
    } catch (IOException e) {
      complain(e);
      return;
    }
    hosts.remove("");
    hosts.remove(ResourceRequest.ANY); // refused by the ResourceManager, and skein ends the application at that
    wanted = hosts;
  }

  private void complain(IOException e) {
    if (!complained) {
      LOG.error("{} can't be read, so the excluded nodes stay {}; further failures are not logged", file.getAbsolutePath(), wanted, e);
      complained = true;
    }
  }

  private static List<String> orNone(List<String> hosts) {
    return hosts == null ? new ArrayList<>() : hosts;
  }
}
