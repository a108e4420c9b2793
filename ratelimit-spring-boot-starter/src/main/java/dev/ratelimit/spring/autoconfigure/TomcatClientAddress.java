package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.web.ClientAddress;
import jakarta.servlet.ServletException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.catalina.Valve;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.RemoteIpValve;
import org.apache.catalina.valves.ValveBase;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.tomcat.TomcatWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Asks whose a request is before Tomcat's {@link RemoteIpValve} rewrites the peer's address and cuts the header down. That
 * valve is there where {@code server.forward-headers-strategy} is native, and believes every peer in a private network.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass({TomcatWebServerFactory.class, RemoteIpValve.class})
final class TomcatClientAddress {

    /** Without an order it comes last, when the valve is there if it is to be. */
    @Bean
    WebServerFactoryCustomizer<TomcatWebServerFactory> rateLimitTomcatCustomizer(ClientAddress client) {
        return new Customizer(client);
    }

    private record Customizer(ClientAddress client) implements WebServerFactoryCustomizer<TomcatWebServerFactory> {

        @Override
        public void customize(TomcatWebServerFactory factory) {
            List<Valve> valves = new ArrayList<>(factory.getEngineValves());
            for (Valve each : valves) {
                if (each instanceof RemoteIpValve) {
                    valves.add(0, new ClientAddressValve(client));
                    factory.setEngineValves(valves);
                    return;
                }
            }
        }
    }

    private static final class ClientAddressValve extends ValveBase {
        private final ClientAddress client;

        ClientAddressValve(ClientAddress client) {
            super(/* asyncSupported= */ true);
            this.client = client;
        }

        @Override
        public void invoke(Request request, Response response) throws IOException, ServletException {
            request.setAttribute(ClientAddress.ATTRIBUTE, client.of(request.getRemoteAddr(), request::getHeaders));
            getNext().invoke(request, response);
        }
    }
}
