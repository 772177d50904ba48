package treadle.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateRequest;
import org.apache.hadoop.yarn.api.records.ResourceBlacklistRequest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExcludedNodesTest {

  private static final List<String> NONE = Collections.emptyList();

  private Path file;
  private ExcludedNodes excluded;

  @BeforeEach
  void create(@TempDir Path directory) {
    file = directory.resolve("excluded-nodes");
    excluded = new ExcludedNodes(file.toFile());
  }

  private void write(String... lines) throws IOException {
    Files.write(file, Arrays.asList(lines));
  }

  private ResourceBlacklistRequest sent(ResourceBlacklistRequest theirs) {
    AllocateRequest request = AllocateRequest.newInstance(1, 0, null, null, theirs);
    excluded.addTo(request);
    return request.getResourceBlacklistRequest();
  }

  private void assertSent(List<String> additions, List<String> removals) {
    ResourceBlacklistRequest sent = sent(null);
    assertEquals(additions, sent.getBlacklistAdditions());
    assertEquals(removals, sent.getBlacklistRemovals());
  }

  @Test
  void aMissingFileExcludesNobody() {
    assertNull(sent(null));
  }

  @Test
  void onlyTheDifferenceIsSent() throws IOException {
    write("b", "a");
    assertSent(Arrays.asList("a", "b"), NONE);
    excluded.accepted();
    assertNull(sent(null));
    write("b", "c");
    assertSent(Arrays.asList("c"), Arrays.asList("a"));
    excluded.accepted();
    Files.delete(file);
    assertSent(NONE, Arrays.asList("b", "c"));
    excluded.accepted();
    assertNull(sent(null));
  }

  @Test
  void afterAFailureAllIsSentAgain() throws IOException {
    write("a");
    sent(null);
    excluded.accepted();
    write("a", "b");
    sent(null);
    excluded.failed();
    assertSent(Arrays.asList("a", "b"), NONE);
  }

  @Test
  void aNodeIsTakenBackThoughNobodyKnowsWhetherItsExclusionArrived() throws IOException {
    write("a");
    sent(null);
    excluded.failed();
    write();
    assertSent(NONE, Arrays.asList("a"));
    excluded.failed();
    assertSent(NONE, Arrays.asList("a"));
  }

  @Test
  void skeinsOwnListIsKeptAndLosesOnlyWhereItWouldUndoOurs() throws IOException {
    write("a", "b");
    sent(null);
    excluded.accepted();
    write("a");
    ResourceBlacklistRequest theirs = ResourceBlacklistRequest.newInstance(Arrays.asList("b", "x"), Arrays.asList("a", "y"));
    ResourceBlacklistRequest sent = sent(theirs);
    assertEquals(Arrays.asList("b", "x"), sent.getBlacklistAdditions());
    assertEquals(Arrays.asList("y"), sent.getBlacklistRemovals());
    assertEquals(ResourceBlacklistRequest.newInstance(Arrays.asList("b", "x"), Arrays.asList("a", "y")), theirs);
  }

  @Test
  void anUnreadableFileLeavesWhatWas() throws IOException {
    write("a");
    sent(null);
    excluded.accepted();
    Files.delete(file);
    Files.createDirectory(file);
    assertNull(sent(null));
    excluded.failed();
    assertSent(Arrays.asList("a"), NONE);
  }

  @Test
  void linesThatNameNoNodeAreNotSent() throws IOException {
    write("", " a ", "*");
    assertSent(Arrays.asList("a"), NONE);
  }
}
