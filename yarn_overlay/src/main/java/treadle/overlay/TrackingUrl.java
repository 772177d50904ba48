package treadle.overlay;

import org.apache.hadoop.yarn.api.protocolrecords.RegisterApplicationMasterRequest;

/**
 * Where YARN's proxy leads whoever follows an application's link: to Treadle's page, which skein serves below its own. The
 * proxy appends what is asked of it to this address, so that all of {@code /proxy/<application>/…} is the page's.
 */
final class TrackingUrl {

  /** The page as {@code yarn_am.skein_containers} calls it, below the address of skein's pages. */
  private static final String PAGE = "pages/treadle/";

  private TrackingUrl() {}

  /** Returns the request with the page's address in place of skein's; unchanged where it is none or has been amended. */
  static RegisterApplicationMasterRequest amended(RegisterApplicationMasterRequest request) {
    String skeins = request.getTrackingUrl();
    if (skeins != null && !skeins.isEmpty() && !skeins.endsWith(PAGE)) {
      request.setTrackingUrl(skeins + (skeins.endsWith("/") ? "" : "/") + PAGE);
    }
    return request;
  }
}
