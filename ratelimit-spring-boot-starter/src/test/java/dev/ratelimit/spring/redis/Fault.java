package dev.ratelimit.spring.redis;

/** What can happen to a Redis or to the way there. */
enum Fault {
    KILLED {
        @Override
        void strike(RedisProcess redis, FaultyProxy proxy) {
            redis.kill();
        }

        @Override
        void heal(RedisProcess redis, FaultyProxy proxy) {
            redis.restart();
        }
    },

    PAUSED {
        @Override
        void strike(RedisProcess redis, FaultyProxy proxy) {
            redis.pause();
        }

        @Override
        void heal(RedisProcess redis, FaultyProxy proxy) {
            redis.resume();
        }
    },

    SILENT {
        @Override
        void strike(RedisProcess redis, FaultyProxy proxy) {
            proxy.fallSilent();
        }
    },

    SLOW {
        @Override
        void strike(RedisProcess redis, FaultyProxy proxy) {
            proxy.delayAnswers(3 * Proofs.TIMEOUT.toMillis());
        }
    },

    RESET {
        @Override
        void strike(RedisProcess redis, FaultyProxy proxy) {
            proxy.resetAll();
        }
    },

    READ_ONLY {
        @Override
        void strike(RedisProcess redis, FaultyProxy proxy) {
            redis.call("REPLICAOF", "127.0.0.1", "1");
        }

        @Override
        void heal(RedisProcess redis, FaultyProxy proxy) {
            redis.call("REPLICAOF", "NO", "ONE");
        }
    },

    /** A Redis that died and comes back with so much data that it takes a while. */
    LOADING {
        @Override
        void strike(RedisProcess redis, FaultyProxy proxy) {
            redis.call("EVAL", "for i = 1, 600 do redis.call('SET', 'data' .. i, string.rep('x', 100000)) end", "0");
            redis.call("SAVE");
            redis.kill();
            redis.restartLoading(15 + Proofs.FAULT_MILLIS / 600);
        }

        @Override
        void heal(RedisProcess redis, FaultyProxy proxy) {
            redis.kill();
            redis.restart();
            redis.call("EVAL", "for i = 1, 600 do redis.call('DEL', 'data' .. i) end", "0");
        }
    },

    /** No memory left, and nothing that may be evicted. */
    FULL {
        @Override
        void strike(RedisProcess redis, FaultyProxy proxy) {
            redis.call("CONFIG", "SET", "maxmemory-policy", "noeviction");
            redis.call("CONFIG", "SET", "maxmemory", "1");
        }

        @Override
        void heal(RedisProcess redis, FaultyProxy proxy) {
            redis.call("CONFIG", "SET", "maxmemory", "0");
        }
    };

    abstract void strike(RedisProcess redis, FaultyProxy proxy);

    void heal(RedisProcess redis, FaultyProxy proxy) {
        proxy.heal();
    }

    /** Whether what was charged before is forgotten after. */
    boolean loses() {
        return this == KILLED;
    }
}
