package dev.ratelimit.spring;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.expression.ParseException;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.BeanReference;
import org.springframework.expression.spel.ast.ConstructorReference;
import org.springframework.expression.spel.ast.TypeReference;
import org.springframework.expression.spel.ast.VariableReference;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.expression.spel.support.SimpleEvaluationContext;

/**
 * An expression on the arguments of one method, parsed and checked once. Thread-safe.
 *
 * <p>It sees the arguments and nothing else: no types, no beans, no constructors. What the arguments hold is data and is
 * never read as an expression.
 */
final class ArgumentExpression {
    private static final SpelExpressionParser PARSER = new SpelExpressionParser();

    private final SpelExpression expression;
    private final List<@Nullable String> names;

    /**
     * Parses {@code text}.
     *
     * @throws InvalidRateLimitException if it is no expression, or reaches for more than the method's arguments
     */
    ArgumentExpression(String text, Method method, String place) {
        @Nullable String @Nullable [] parameters = new DefaultParameterNameDiscoverer().getParameterNames(method);
        names = parameters == null ? List.of() : Arrays.asList(parameters);
        try {
            expression = (SpelExpression) PARSER.parseExpression(text);
        } catch (ParseException e) {
            throw new InvalidRateLimitException(place, "has the expression \"" + text + "\": " + e.getSimpleMessage());
        }
        for (SpelNode node : nodesOf(expression.getAST(), new ArrayList<>())) {
            check(node, text, place);
        }
    }

    private static List<SpelNode> nodesOf(SpelNode node, List<SpelNode> nodes) {
        nodes.add(node);
        for (int i = 0; i < node.getChildCount(); i++) {
            nodesOf(node.getChild(i), nodes);
        }
        return nodes;
    }

    private void check(SpelNode node, String text, String place) {
        if (node instanceof TypeReference || node instanceof BeanReference || node instanceof ConstructorReference) {
            throw new InvalidRateLimitException(
                    place,
                    "has the expression \"" + text + "\", which may use the arguments only, not " + node.toStringAST());
        }
        if (node instanceof VariableReference
                && !names.contains(node.toStringAST().substring(1))) {
            throw new InvalidRateLimitException(
                    place,
                    "has the expression \"" + text + "\", but there is no parameter " + node.toStringAST() + "; "
                            + (names.isEmpty()
                                    ? "no parameter names are known (is it compiled with -parameters?)"
                                    : "there are: #" + String.join(", #", names)));
        }
    }

    @Nullable
    Object valueFor(@Nullable Object[] arguments) {
        SimpleEvaluationContext context = SimpleEvaluationContext.forReadOnlyDataBinding()
                .withInstanceMethods()
                .build();
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            if (name != null) {
                context.setVariable(name, arguments[i]);
            }
        }
        return expression.getValue(context);
    }
}
