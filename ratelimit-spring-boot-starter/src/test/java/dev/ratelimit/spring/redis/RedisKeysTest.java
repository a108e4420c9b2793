package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RedisKeysTest {

    @Test
    void keepsPoliciesOfOtherPrefixesApart() {
        String one = new RedisKeys("a", null).key("b:2:c", "hash");
        String other = new RedisKeys("a:2:b", null).key("c", "hash");

        assertThat(one).isEqualTo("a:2:b%3A2%3Ac{hash}");
        assertThat(other).isEqualTo("a:2:b:2:c{hash}");
        assertThat(new RedisKeys("a", null).key("b%3A2%3Ac", "hash")).isNotEqualTo(one);
    }

    @Test
    void leavesBracesToTheHash() {
        assertThat(new RedisKeys("a", null).key("b{c}", "hash")).isEqualTo("a:2:b%7Bc}{hash}");
    }
}
