/* zdev-atomic.pml - zdev.pml with one shared access a step.
 *
 * The same model as zdev.pml (GUP against unmap and a driver that waits for
 * the count to be 1), with each process's local statements moved into the
 * atomic of the shared access before them, and the pick of a page likewise
 * (the first pick, which has no access before it, is an atomic of its own).
 * Locals are 0 where they are dead.  So neither statement merging nor the dead
 * variable pass of spin finds anything to do, and the number of states does
 * not depend on spin's -o options.  test/models/zdev.ts is its rewriting.
 *
 *   spin -a -DNGUP=2 zdev-atomic.pml
 *   gcc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m1000000
 */
#ifndef NGUP
#define NGUP 2
#endif
#ifndef NPAGE
#define NPAGE 2
#endif
#ifndef LIM
#define LIM 1
#endif

byte ref[NPAGE];
bool pte[NPAGE];
bool busy[NPAGE];      /* driver is reusing the page: nobody may touch it */

inline pick(pg) {
	if
	:: pg = 0
#if NPAGE > 1
	:: pg = 1
#endif
#if NPAGE > 2
	:: pg = 2
#endif
	fi
}

proctype gup()
{
	byte pg, r, tries;

start:	atomic { pick(pg); goto lookup };
lookup:	atomic {                             /* pte: load */
		if
		:: !pte[pg] -> pick(pg); goto lookup
		:: else -> goto get
		fi
	};
get:	atomic {                             /* ref: load */
		r = ref[pg];
		if
		:: r == 0 -> tries = 0; pick(pg); goto lookup
		:: else -> goto cas
		fi
	};
cas:	atomic {                             /* ref: compare and swap */
		if
		:: ref[pg] == r -> ref[pg] = r + 1; r = 0; tries = 0; goto again
		:: else ->
			r = 0; tries++;
			if
			:: tries < LIM -> goto get
			:: else -> tries = 0; pick(pg); goto lookup
			fi
		fi
	};
again:	atomic {                             /* pte: load */
		if
		:: pte[pg] -> goto touch
		:: else -> goto put
		fi
	};
touch:	atomic { assert(!busy[pg]); goto put };
put:	atomic { ref[pg]--; pick(pg); goto lookup }
}

proctype driver()
{
	byte pg;

start:	atomic { pick(pg); goto unmap };
unmap:	atomic { pte[pg] = false; goto drop };
drop:	atomic { ref[pg]--; goto idle };     /* the mapping's own count */
idle:	atomic { ref[pg] == 1; goto take };  /* wait for page idle       */
take:	atomic { busy[pg] = true; goto give };
give:	atomic { busy[pg] = false; goto count };
count:	atomic { ref[pg]++; goto map };
map:	atomic { pte[pg] = true; pick(pg); goto unmap }
}

init {
	atomic {
		byte i;
		for (i : 0 .. NPAGE-1) { ref[i] = 2; pte[i] = true };
		i = 0;
		for (i : 1 .. NGUP) { run gup() };
		i = 0;
		run driver()
	}
}
