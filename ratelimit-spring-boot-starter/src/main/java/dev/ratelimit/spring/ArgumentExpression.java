package dev.ratelimit.spring;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.expression.BeanResolver;
import org.springframework.expression.ConstructorResolver;
import org.springframework.expression.EvaluationContext;
import org.springframework.expression.IndexAccessor;
import org.springframework.expression.MethodResolver;
import org.springframework.expression.OperatorOverloader;
import org.springframework.expression.ParseException;
import org.springframework.expression.PropertyAccessor;
import org.springframework.expression.TypeComparator;
import org.springframework.expression.TypeConverter;
import org.springframework.expression.TypeLocator;
import org.springframework.expression.TypedValue;
import org.springframework.expression.spel.SpelCompilerMode;
import org.springframework.expression.spel.SpelEvaluationException;
import org.springframework.expression.spel.SpelMessage;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.SpelParserConfiguration;
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
    private static final SpelExpressionParser PARSER =
            new SpelExpressionParser(new SpelParserConfiguration(SpelCompilerMode.OFF, null));
    private static final List<Class<?>> REFUSED = List.of(
            TypeReference.class,
            BeanReference.class,
            ConstructorReference.class,
            FunctionReference.class,
            Assign.class);

    private final String text;
    private final String place;
    private final SpelExpression expression;
    private final List<@Nullable String> names;
    private final int argument; // which one it is, if it is just that; below 0 otherwise
    private boolean constant = true;

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
        SpelNode root = expression.getAST();
        check(root, /* inElement= */ false, /* follows= */ false);
        argument = root instanceof VariableReference
                ? names.indexOf(root.toStringAST().substring(1))
                : -1;
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
        if (argument >= 0) {
            return arguments[argument];
        }
        try {
            return expression.getValue(new Arguments(names, arguments));
        } catch (SpelEvaluationException e) {
            if (e.getMessageCode() == SpelMessage.PROPERTY_OR_FIELD_NOT_READABLE_ON_NULL
                    || e.getMessageCode() == SpelMessage.METHOD_CALL_ON_NULL_OBJECT_NOT_ALLOWED) {
                return null;
            }
            throw e;
        }
    }

    /**
     * What an expression sees of one call. All of it but the arguments is shared by all calls, with what Spring has found out
     * about the properties and methods of their types.
     */
    private static final class Arguments implements EvaluationContext {
        private static final SimpleEvaluationContext SHARED = SimpleEvaluationContext.forReadOnlyDataBinding()
                .withInstanceMethods()
                .build();

        private final List<@Nullable String> names;
        private final @Nullable Object[] values;

        Arguments(List<@Nullable String> names, @Nullable Object[] values) {
            this.names = names;
            this.values = values;
        }

        @Override
        public @Nullable Object lookupVariable(String name) {
            int argument = names.indexOf(name);
            return argument < 0 || argument >= values.length ? null : values[argument];
        }

        @Override
        public void setVariable(String name, @Nullable Object value) {
            throw new IllegalStateException("an expression is not to assign anything");
        }

        @Override
        public TypedValue assignVariable(String name, Supplier<TypedValue> value) {
            throw new IllegalStateException("an expression is not to assign anything");
        }

        @Override
        public boolean isAssignmentEnabled() {
            return false;
        }

        @Override
        public TypedValue getRootObject() {
            return TypedValue.NULL;
        }

        @Override
        public List<PropertyAccessor> getPropertyAccessors() {
            return SHARED.getPropertyAccessors();
        }

        @Override
        public List<IndexAccessor> getIndexAccessors() {
            return SHARED.getIndexAccessors();
        }

        @Override
        public List<ConstructorResolver> getConstructorResolvers() {
            return SHARED.getConstructorResolvers();
        }

        @Override
        public List<MethodResolver> getMethodResolvers() {
            return SHARED.getMethodResolvers();
        }

        @Override
        public @Nullable BeanResolver getBeanResolver() {
            return SHARED.getBeanResolver();
        }

        @Override
        public TypeLocator getTypeLocator() {
            return SHARED.getTypeLocator();
        }

        @Override
        public TypeConverter getTypeConverter() {
            return SHARED.getTypeConverter();
        }

        @Override
        public TypeComparator getTypeComparator() {
            return SHARED.getTypeComparator();
        }

        @Override
        public OperatorOverloader getOperatorOverloader() {
            return SHARED.getOperatorOverloader();
        }
    }
}
