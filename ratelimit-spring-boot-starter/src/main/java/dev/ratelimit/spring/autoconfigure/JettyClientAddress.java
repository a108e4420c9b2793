package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.web.ClientAddress;
import org.eclipse.jetty.server.ConnectionFactory;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.jetty.JettyWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Asks whose a request is before Jetty's ForwardedRequestCustomizer, which is there where
 * {@code server.forward-headers-strategy} is native, makes any peer the one that a header names.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass({JettyWebServerFactory.class, HttpConfiguration.class})
final class JettyClientAddress {

    @Bean
    WebServerFactoryCustomizer<JettyWebServerFactory> rateLimitJettyCustomizer(ClientAddress client) {
        return new Customizer(client);
    }

    private record Customizer(ClientAddress client) implements WebServerFactoryCustomizer<JettyWebServerFactory> {

        @Override
        public void customize(JettyWebServerFactory factory) {
            if (factory.isUseForwardHeaders()) {
                factory.addServerCustomizers(this::customize);
            }
        }

        private void customize(Server server) {
            for (Connector connector : server.getConnectors()) {
                for (ConnectionFactory factory : connector.getConnectionFactories()) {
                    if (factory instanceof HttpConfiguration.ConnectionFactory http) {
                        http.getHttpConfiguration().getCustomizers().add(0, (request, headers) -> kept(request));
                    }
                }
            }
        }

        private Request kept(Request request) {
            request.setAttribute(
                    ClientAddress.ATTRIBUTE,
                    client.of(Request.getRemoteAddr(request), request.getHeaders()::getValues));
            return request;
        }
    }
}
