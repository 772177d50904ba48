package treadle.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class JsonLineTest {

  static Stream<Arguments> texts() {
    return Stream.of(
        Arguments.of("Preempted by scheduler", "Preempted by scheduler"),
        Arguments.of("say \"why\" in C:\\temp", "say \\\"why\\\" in C:\\\\temp"),
        Arguments.of("two\nlines\t\u0000", "two\\u000alines\\u0009\\u0000"),
        Arguments.of("gr\u00f6\u00dfer", "gr\u00f6\u00dfer"),
        Arguments.of("\uD83D\uDE00", "\\ud83d\\ude00"),
        Arguments.of("half \uD83D", "half \\ud83d"));
  }

  @ParameterizedTest
  @MethodSource("texts")
  void textIsEscaped(String text, String escaped) {
    assertEquals("{\"event\": \"completed\", \"diagnostics\": \"" + escaped + "\"}", new JsonLine("completed").text("diagnostics", text).toString());
  }

  @Test
  void whatIsMissingIsNull() {
    assertEquals("{\"event\": \"granted\", \"http\": null}", new JsonLine("granted").text("http", null).toString());
  }

  @Test
  void listsAndNumbers() {
    assertEquals(
        "{\"event\": \"x\", \"containers\": [\"a\", \"b\\\"\"], \"exit_status\": -100}",
        new JsonLine("x").texts("containers", Arrays.asList("a", "b\"")).number("exit_status", -100).toString());
  }
}
