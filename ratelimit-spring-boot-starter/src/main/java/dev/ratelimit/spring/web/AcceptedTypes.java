package dev.ratelimit.spring.web;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.List;
import org.springframework.http.HttpHeaders;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;

/** What a client says it accepts (RFC 9110, section 12.5.1), as far as a page is to be told from a problem. */
record AcceptedTypes(List<MediaType> types) {

    static AcceptedTypes of(HttpServletRequest request) {
        try {
            return new AcceptedTypes(
                    MediaType.parseMediaTypes(Collections.list(request.getHeaders(HttpHeaders.ACCEPT))));
        } catch (InvalidMediaTypeException e) {
            return new AcceptedTypes(List.of());
        }
    }

    /** Whether the client would rather read a page, as a browser would. */
    boolean preferHtml() {
        double json = Math.max(quality(MediaType.APPLICATION_PROBLEM_JSON), quality(MediaType.APPLICATION_JSON));
        return quality(MediaType.TEXT_HTML) > json;
    }

    /** Returns the quality of the most specific type that covers {@code wanted}, 0 if none does. */
    private double quality(MediaType wanted) {
        MediaType best = null;
        for (MediaType type : types) {
            if (type.includes(wanted) && (best == null || type.isMoreSpecific(best))) {
                best = type;
            }
        }
        return best == null ? 0 : best.getQualityValue();
    }
}
