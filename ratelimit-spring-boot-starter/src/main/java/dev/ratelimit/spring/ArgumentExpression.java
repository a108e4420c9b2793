package dev.ratelimit.spring;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.expression.ParseException;
import org.springframework.expression.spel.SpelEvaluationException;
import org.springframework.expression.spel.SpelMessage;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.Assign;
import org.springframework.expression.spel.ast.BeanReference;
import org.springframework.expression.spel.ast.CompoundExpression;
import org.springframework.expression.spel.ast.ConstructorReference;
import org.springframework.expression.spel.ast.FunctionReference;
import org.springframework.expression.spel.ast.Indexer;
import org.springframework.expression.spel.ast.MethodReference;
import org.springframework.expression.spel.ast.Projection;
import org.springframework.expression.spel.ast.PropertyOrFieldReference;
import org.springframework.expression.spel.ast.Selection;
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
    private static final List<Class<?>> REFUSED = List.of(
            TypeReference.class,
            BeanReference.class,
            ConstructorReference.class,
            FunctionReference.class,
            Assign.class);

    private final String text;
    private final String place;
    private final SpelExpression expression;
    private boolean constant = true;
    private final List<@Nullable String> names;

    /**
     * Parses {@code text}.
     *
     * @throws InvalidRateLimitException if it is no expression, or reaches for more than the method's arguments
     */
    ArgumentExpression(String text, Method method, String place) {
        @Nullable String @Nullable [] parameters = new DefaultParameterNameDiscoverer().getParameterNames(method);
        this.text = text;
        this.place = place;
        names = parameters == null ? List.of() : Arrays.asList(parameters);
        try {
            expression = (SpelExpression) PARSER.parseExpression(text);
        } catch (ParseException e) {
            throw invalid(": " + e.getSimpleMessage());
        }
        check(expression.getAST(), /* inElement= */ false, /* follows= */ false);
    }

    /**
     * A property or method stands behind something it is of, {@code follows}, or is that of an element which a projection or
     * a selection goes through.
     */
    private void check(SpelNode node, boolean inElement, boolean follows) {
        if (REFUSED.stream().anyMatch(type -> type.isInstance(node))) {
            throw invalid(", which may use the arguments only, not " + node.toStringAST());
        }
        if (node instanceof VariableReference) {
            constant = false;
            checkVariable(node.toStringAST(), inElement);
        }
        if (!inElement && !follows && (node instanceof PropertyOrFieldReference || node instanceof MethodReference)) {
            throw invalid(", where " + node.toStringAST() + " is of nothing; an argument is written with a #");
        }
        boolean element = node instanceof Projection || node instanceof Selection || node instanceof Indexer;
        for (int i = 0; i < node.getChildCount(); i++) {
            check(node.getChild(i), inElement || element, node instanceof CompoundExpression && i > 0);
        }
    }

    private void checkVariable(String variable, boolean inElement) {
        if (!names.contains(variable.substring(1)) && !(inElement && variable.equals("#this"))) {
            throw invalid(", but there is no parameter " + variable + "; "
                    + (names.isEmpty()
                            ? "no parameter names are known (is it compiled with -parameters?)"
                            : "there are: #" + String.join(", #", names)));
        }
    }

    /** Whether no argument is in it. */
    boolean isConstant() {
        return constant;
    }

    private InvalidRateLimitException invalid(String problem) {
        return new InvalidRateLimitException(place, "has the expression \"" + text + '"' + problem);
    }

    /** Returns the value, which is null also where something on the way to it is. */
    @Nullable
    Object valueFor(@Nullable Object[] arguments) {
        SimpleEvaluationContext context = SimpleEvaluationContext.forReadOnlyDataBinding()
                .withInstanceMethods()
                .build();
        for (int i = 0; i < arguments.length && i < names.size(); i++) {
            String name = names.get(i);
            if (name != null) {
                context.setVariable(name, arguments[i]);
            }
        }
        try {
            return expression.getValue(context);
        } catch (SpelEvaluationException e) {
            if (e.getMessageCode() == SpelMessage.PROPERTY_OR_FIELD_NOT_READABLE_ON_NULL
                    || e.getMessageCode() == SpelMessage.METHOD_CALL_ON_NULL_OBJECT_NOT_ALLOWED) {
                return null;
            }
            throw e;
        }
    }
}
