package treadle.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.apache.hadoop.yarn.api.protocolrecords.RegisterApplicationMasterRequest;
import org.junit.jupiter.api.Test;

class TrackingUrlTest {

  private static String amended(String url) {
    return TrackingUrl.amended(RegisterApplicationMasterRequest.newInstance("host", 1, url)).getTrackingUrl();
  }

  @Test
  void theLinkLeadsToThePage() {
    assertEquals("http://host:1234/pages/treadle/", amended("http://host:1234/"));
    assertEquals("http://host:1234/pages/treadle/", amended("http://host:1234"));
  }

  @Test
  void aRequestThatIsSentAgainStaysAsItIs() {
    assertEquals("http://host:1234/pages/treadle/", amended(amended("http://host:1234/")));
  }

  @Test
  void whereThereIsNoAddressNoneIsMadeUp() {
    assertEquals("", amended(""));
  }
}
