package dev.ratelimit.spring.web;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.servlet.ServletWebServerFactory;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;

/** The servers that tests run an application on. */
enum Container {
    TOMCAT {
        @Override
        ServletWebServerFactory factory() {
            TomcatServletWebServerFactory factory = new TomcatServletWebServerFactory();
            factory.addConnectorCustomizers(connector -> connector.setAllowTrace(true));
            return factory;
        }
    },
    JETTY {
        @Override
        ServletWebServerFactory factory() {
            return new JettyServletWebServerFactory();
        }
    };

    abstract ServletWebServerFactory factory();

    /** Starts {@code application} at a free port. */
    ConfigurableApplicationContext start(Class<?> application, String... properties) {
        return new SpringApplicationBuilder(application)
                .web(WebApplicationType.SERVLET)
                .initializers((GenericApplicationContext context) ->
                        context.registerBean("server", ServletWebServerFactory.class, this::factory))
                .properties("server.port=0", "spring.main.banner-mode=off", "spring.main.log-startup-info=false")
                .properties(properties)
                .run();
    }

    static int port(ConfigurableApplicationContext context) {
        return context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
    }
}
