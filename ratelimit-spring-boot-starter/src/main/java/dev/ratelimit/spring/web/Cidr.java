package dev.ratelimit.spring.web;

/**
 * A block of addresses. Immutable.
 *
 * @param network any address in it
 * @param prefix how many of its 128 bits all addresses in the block share
 * @hidden
 */
public record Cidr(IpAddress network, int prefix) {
    private static final int BITS = 128;
    private static final int IPV4_PREFIX = 96;

    public Cidr {
        if (prefix < 0 || prefix > BITS) {
            throw new IllegalArgumentException("prefix must be from 0 to " + BITS + ": " + prefix);
        }
    }

    /**
     * Returns the block that {@code text} is, such as {@code 10.0.0.0/8} or {@code 2001:db8::/32}; a single address is a
     * block of one.
     *
     * @throws IllegalArgumentException if it is neither
     */
    public static Cidr parse(String text) {
        int slash = text.indexOf('/');
        String literal = slash < 0 ? text : text.substring(0, slash);
        IpAddress network = IpAddress.parse(literal);
        int offset = literal.indexOf(':') < 0 ? IPV4_PREFIX : 0;
        int bits = slash < 0 ? BITS - offset : bits(text.substring(slash + 1));
        if (network == null || bits < 0 || bits > BITS - offset) {
            throw new IllegalArgumentException("neither an address nor a block such as 10.0.0.0/8: " + text);
        }
        return new Cidr(network, offset + bits);
    }

    private static int bits(String text) {
        boolean number = !text.isEmpty() && text.length() <= 3 && text.chars().allMatch(c -> c >= '0' && c <= '9');
        return number ? Integer.parseInt(text) : -1;
    }

    /** Whether {@code address} is in this block; {@code ::/0} is all of IPv6 and none of IPv4. */
    public boolean contains(IpAddress address) {
        if (prefix < IPV4_PREFIX && address.isIpv4()) {
            return false;
        }
        long highMask = prefix == 0 ? 0 : -1L << Math.max(0, Long.SIZE - prefix);
        long lowMask = prefix <= Long.SIZE ? 0 : -1L << (BITS - prefix);
        return ((address.high() ^ network.high()) & highMask) == 0 && ((address.low() ^ network.low()) & lowMask) == 0;
    }
}
