package dev.ratelimit.spring.web;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;

/** Asks the server under test. */
record LocalClient(HttpClient http, int port) {

    LocalClient(int port) {
        this(HttpClient.newHttpClient(), port);
    }

    HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return http.send(request.build(), BodyHandlers.ofString());
    }

    /** Returns how many of {@code times} requests were not denied. */
    int allowed(int times, String path, String... headers) throws IOException, InterruptedException {
        int allowed = 0;
        for (int i = 0; i < times; i++) {
            allowed += get(path, headers).statusCode() == 429 ? 0 : 1;
        }
        return allowed;
    }

    static String header(HttpResponse<?> response, String name) {
        return String.join(" | ", response.headers().allValues(name));
    }
}
