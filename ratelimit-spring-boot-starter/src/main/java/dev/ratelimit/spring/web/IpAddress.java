package dev.ratelimit.spring.web;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An IP address, by its 128 bits. An IPv4 address has those of the IPv6 address it is mapped to (RFC 4291, section 2.5.5.2),
 * so that no notation makes two of one. Immutable.
 *
 * <p>Only literals are read. A name is no address and is never looked up, for it may be an attacker's.
 */
record IpAddress(long high, long low) {
    private static final int MAX_LENGTH = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length();
    private static final int GROUPS = 8;
    private static final long MAPPED = 0xffffL;

    /** Returns the address that the whole of {@code text} is, or null if it is none. */
    static @Nullable IpAddress parse(String text) {
        long quad = quad(text, 0, text.length());
        return quad < 0 ? ofGroups(text, 0, text.length()) : ofQuad(quad);
    }

    /**
     * Returns the address in that part of {@code text}, or null if there is none. It is written as servers and proxies write
     * it: perhaps in brackets, with a zone or with a port, none of which tell who it is.
     */
    static @Nullable IpAddress parseHop(String text, int from, int to) {
        int colon = indexOf(':', text, from, to);
        if (colon == to || indexOf(':', text, colon + 1, to) == to) {
            long quad = quad(text, from, colon);
            return quad >= 0 && isPort(text, colon, to) ? ofQuad(quad) : null;
        }
        if (text.charAt(from) != '[') {
            return ofGroups(text, from, zone(text, from, to));
        }
        int close = indexOf(']', text, from, to);
        return close < to && isPort(text, close + 1, to) ? ofGroups(text, from + 1, zone(text, from + 1, close)) : null;
    }

    /** Whether {@code text} is an IPv4 address in the one notation there is of it. */
    static boolean isQuad(String text) {
        return quad(text, 0, text.length()) >= 0;
    }

    boolean isIpv4() {
        return high == 0 && low >>> 32 == MAPPED;
    }

    /** Returns an IPv4 address, or the IPv6 network of that prefix, from 32 to 64 bits, that this address is in. */
    String network(int ipv6Prefix) {
        if (isIpv4()) {
            return (low >> 24 & 0xff) + "." + (low >> 16 & 0xff) + '.' + (low >> 8 & 0xff) + '.' + (low & 0xff);
        }
        long bits = high & -1L << (Long.SIZE - ipv6Prefix);
        return hex(bits >>> 48) + ':' + hex(bits >>> 32) + ':' + hex(bits >>> 16) + ':' + hex(bits) + "::/"
                + ipv6Prefix;
    }

    private static String hex(long group) {
        return Long.toHexString(group & 0xffff);
    }

    private static IpAddress ofQuad(long quad) {
        return new IpAddress(0, MAPPED << 32 | quad);
    }

    /** Returns the bits of four decimal octets, or -1. An octet with a leading zero is none, for some take it as octal. */
    private static long quad(String text, int from, int to) {
        long bits = 0;
        int dots = 0;
        int octet = -1;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c == '.' && octet >= 0 && dots < 3) {
                bits = bits << 8 | octet;
                dots++;
                octet = -1;
            } else if (isDigit(c) && octet != 0) {
                octet = Math.max(octet, 0) * 10 + c - '0';
                if (octet > 255) {
                    return -1;
                }
            } else {
                return -1;
            }
        }
        return dots == 3 && octet >= 0 ? bits << 8 | octet : -1;
    }

    /** Reads the groups of an IPv6 address (RFC 4291, section 2.2); the last two may be written as four octets. */
    private static @Nullable IpAddress ofGroups(String text, int from, int to) {
        if (to - from > MAX_LENGTH) {
            return null;
        }
        int[] groups = new int[GROUPS];
        int count = 0;
        int gap = -1; // the group in front of which zeros are left out
        int at = from;
        if (isGap(text, at, to)) {
            gap = 0;
            at += 2;
        }
        while (at < to) {
            int end = indexOf(':', text, at, to);
            long quad = end == to ? quad(text, at, to) : -1;
            long bits = quad < 0 ? group(text, at, end) : quad;
            if (bits < 0 || count + (quad < 0 ? 1 : 2) > GROUPS || end + 1 == to) {
                return null;
            }
            if (quad >= 0) {
                groups[count++] = (int) (quad >>> 16);
            }
            groups[count++] = (int) (bits & 0xffff);
            at = end + 1;
            if (isGap(text, end, to)) {
                if (gap >= 0) {
                    return null;
                }
                gap = count;
                at++;
            }
        }
        return (gap < 0 && count < GROUPS) || (gap >= 0 && count == GROUPS)
                ? null
                : ofGroups(groups, count, Math.max(gap, 0));
    }

    /** Moves the groups behind the gap to the end. */
    private static IpAddress ofGroups(int[] groups, int count, int gap) {
        int tail = GROUPS - count + gap;
        System.arraycopy(groups, gap, groups, tail, count - gap);
        Arrays.fill(groups, gap, tail, 0);
        return new IpAddress(half(groups, 0), half(groups, GROUPS / 2));
    }

    private static long half(int[] groups, int first) {
        return (long) groups[first] << 48
                | (long) groups[first + 1] << 32
                | (long) groups[first + 2] << 16
                | groups[first + 3];
    }

    private static boolean isGap(String text, int at, int to) {
        return at + 1 < to && text.charAt(at) == ':' && text.charAt(at + 1) == ':';
    }

    /** Returns the bits of one to four hexadecimal digits, or -1. */
    private static int group(String text, int from, int to) {
        int bits = from == to || to - from > 4 ? -1 : 0;
        for (int i = from; i < to && bits >= 0; i++) {
            char c = text.charAt(i);
            int digit = c < 0x80 ? Character.digit(c, 16) : -1;
            bits = digit < 0 ? -1 : bits << 4 | digit;
        }
        return bits;
    }

    /** Returns where the zone starts. An empty one is none, and stays to make the address unreadable. */
    private static int zone(String text, int from, int to) {
        int percent = indexOf('%', text, from, to);
        return percent + 1 == to ? to : percent;
    }

    /** Whether that is nothing or a port, which a proxy may hide behind an underscore (RFC 7239, section 6.3). */
    private static boolean isPort(String text, int from, int to) {
        if (from == to) {
            return true;
        }
        if (text.charAt(from) != ':' || from + 1 == to) {
            return false;
        }
        if (text.charAt(from + 1) == '_') {
            return true;
        }
        for (int i = from + 1; i < to; i++) {
            if (!isDigit(text.charAt(i))) {
                return false;
            }
        }
        return to - from <= 6;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static int indexOf(char wanted, String text, int from, int to) {
        for (int i = from; i < to; i++) {
            if (text.charAt(i) == wanted) {
                return i;
            }
        }
        return to;
    }
}
