package kotlin.coroutines;

/** Stands in for Kotlin's, by which its compiler makes known that a function suspends. */
public interface Continuation<T> {}
