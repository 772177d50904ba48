package treadle.overlay;

import java.util.Collection;
import java.util.StringJoiner;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.api.records.ResourceInformation;

/** Writes one event as a JSON object (RFC 8259). Own, because no JSON library keeps its name and place across Hadoop 3. */
final class JsonLine {

  private final StringJoiner members = new StringJoiner(", ", "{", "}");

  JsonLine(String event) {
    text("event", event);
  }

  JsonLine text(String name, String value) {
    return member(name, value == null ? "null" : quoted(value));
  }

  JsonLine number(String name, long value) {
    return member(name, Long.toString(value));
  }

  JsonLine texts(String name, Collection<String> values) {
    StringJoiner elements = new StringJoiner(", ", "[", "]");
    values.forEach(value -> elements.add(quoted(value)));
    return member(name, elements.toString());
  }

  /** Every resource type that this JVM knows, by YARN's name: {@code memory-mb}, {@code vcores}, … */
  JsonLine resources(String name, Resource resource) {
    StringJoiner amounts = new StringJoiner(", ", "{", "}");
    for (ResourceInformation type : resource.getResources()) {
      amounts.add(quoted(type.getName()) + ": " + type.getValue());
    }
    return member(name, amounts.toString());
  }

  @Override
  public String toString() {
    return members.toString();
  }

  private JsonLine member(String name, String json) {
    members.add(quoted(name) + ": " + json);
    return this;
  }

  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ' || Character.isSurrogate(c)) {
        json.append(String.format("\\u%04x", (int) c)); // half a surrogate pair can't be written as UTF-8
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
