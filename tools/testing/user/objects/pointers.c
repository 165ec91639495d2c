// SPDX-License-Identifier: GPL-2.0
/*
 * The object layer beside a plain array of what is out: good and wrong pointers by every call.
 *
 * walk	One thread is every CPU in turn, and takes and gives back objects of caches of many sizes
 *	by every call, alone and in bulk of every length, in NMI and beside a node's lock that
 *	somebody has; between good ones it frees what is none: inside and behind objects, of
 *	other caches, freed just before, pages, places where there is no memory. Modes are
 *	switched, caches shrunk, reaped, destroyed with objects out and without, and made again.
 *	Each wrong pointer is counted at once, and nothing else is; no object is handed out
 *	twice; what is out keeps its content and what a constructor made stays; what was written
 *	beside an object is seen. Every now and then all is validated.
 *	SEED= STEPS=
 * full	The same in a pool that has less than is wanted.
 * crowd	Four threads, a CPU each, which hand their objects to others: these free them, with
 *	wrong ones among them. After every round all rest, modes are switched, caches shrunk,
 *	and all is looked at. With ThreadSanitizer this alone. SEED= ROUNDS=
 *
 * With AddressSanitizer free objects are out of bounds for whoever is not told by the module.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/mm.h>

#include "../../../../module/cache/cache.h"
#include "../dice.h"
#include "../tap.h"
#include "machine.h"

#define CACHES		8u
#define OUT		1500u
#define BULK		140u
#define PAST		256u

/* The pool, in large blocks, and how many of them the tight walk leaves. */
#define MIB		32u
#define LARGE_ORDER	5u
#define LARGE		(MIB << (20 - PAGE_SHIFT - LARGE_ORDER))
#define LEFT		4u

/* Of each cache: bytes, alignment, flags, and whether objects are constructed. */
static const struct kind {
	u32 size;
	u32 align;
	slab_flags_t flags;
	bool ctor;
} kinds[CACHES] = {
	{ 8, 0, 0, false },
	{ 24, 0, SLAB_HWCACHE_ALIGN, false },
	{ 64, 64, 0, false },
	{ 96, 0, SLAB_TYPESAFE_BY_RCU, false },
	{ 200, 0, 0, true },
	{ 1000, 0, 0, false },
	{ 4096, 4096, 0, false },
	{ 20000, 0, 0, false },
};

/**
 * struct out - an object that is out
 * @p:		where
 * @of:		number of its cache
 * @salt:	of its content
 */
struct out {
	u8 *p;
	u32 of;
	u8 salt;
};

/**
 * struct walk - one of them
 * @d:		what comes next
 * @step:	number of the step
 * @pool:	where caches are in
 * @c:		the caches
 * @refused:	allocations that might wait and got nothing
 * @wrong:	calls that must have been refused, by cache, since it was made
 * @out:	what is out
 * @nr:		how many
 * @past:	addresses of objects that once were, a ring
 * @nr_past:	how many
 * @block:	pages of a client
 * @kept:	others, so that little is left
 * @nr_kept:	how many
 */
static struct walk {
	struct dice d;
	u64 step;
	struct quarry_pool *pool;
	struct quarry_cache *c[CACHES];
	u64 refused;
	u64 wrong[CACHES];
	struct out out[OUT];
	u32 nr;
	u8 *past[PAST];
	u64 nr_past;
	struct page *block;
	struct page *kept[LARGE];
	u32 nr_kept;
} w;

__printf(1, 2) static void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# step %llu: ", w.step);
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
	abort();
}

#define MADE	0x5a17c0deu

static void construct(void *object)
{
	*(u32 *)object = MADE;
}

/* What a client may write begins behind what the constructor made. */
static u32 kept(u32 of)
{
	return kinds[of].ctor ? sizeof(u32) : 0;
}

static void fill(const struct out *o)
{
	memset(o->p + kept(o->of), o->salt, kinds[o->of].size - kept(o->of));
}

static void must_be_whole(const struct out *o)
{
	u32 i;

	if (kinds[o->of].ctor && *(u32 *)o->p != MADE)
		fail("what the constructor of cache %u made has gone", o->of);
	for (i = kept(o->of); i < kinds[o->of].size; i++)
		if (o->p[i] != o->salt)
			fail("an object of cache %u has changed at byte %u", o->of, i);
}

static void make(u32 of)
{
	char name[16];

	snprintf(name, sizeof(name), "cache-%u", of);
	w.c[of] = quarry_cache_create_in(w.pool, name, kinds[of].size, kinds[of].align,
					 kinds[of].flags, kinds[of].ctor ? construct : NULL);
	if (IS_ERR(w.c[of]))
		fail("cache %u cannot be made: %ld", of, PTR_ERR(w.c[of]));
	w.wrong[of] = 0;
}

static u64 errors(u32 of)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < QUARRY_NR_CACHE_ERRORS; i++)
		sum += atomic64_read(&w.c[of]->errors[i]);
	return sum;
}

static void check_errors(void)
{
	u32 i;

	for (i = 0; i < CACHES; i++)
		if (errors(i) != w.wrong[i])
			fail("cache %u counts %llu wrong calls, not %llu", i, errors(i),
			     w.wrong[i]);
}

static void check_all(void)
{
	char what[64];
	u32 i;

	for (i = 0; i < CACHES; i++)
		if (quarry_cache_validate(w.c[i], what, sizeof(what)))
			fail("cache %u: %s", i, what);
	if (quarry_pcp_check_all(w.pool) || machine_misuses(w.pool))
		fail("the pool has violations");
}

/* A fresh object: nobody has it, it is where it may be, and says what it was made of. */
static void take_in(u32 of, void *p, bool zero)
{
	struct out *o = &w.out[w.nr++];
	u32 i, size = kinds[of].size;

	o->p = p;
	o->of = of;
	o->salt = dice(&w.d, 256);
	if (!virt_addr_valid(p) || (kinds[of].align && (unsigned long)p % kinds[of].align) ||
	    (unsigned long)p % 8)
		fail("an object of cache %u is nowhere", of);
	for (i = 0; i + 1 < w.nr; i++)
		if (w.out[i].p < o->p + size && o->p < w.out[i].p + kinds[w.out[i].of].size)
			fail("an object of cache %u meets one of cache %u", of, w.out[i].of);
	for (i = 0; zero && i < size; i++)
		if (o->p[i])
			fail("zeros of cache %u are none", of);
	if (kinds[of].ctor && *(u32 *)o->p != MADE)
		fail("an object of cache %u was not constructed", of);
	fill(o);
}

static void *leave(u32 i)
{
	void *p = w.out[i].p;

	must_be_whole(&w.out[i]);
	w.past[w.nr_past++ % PAST] = p;
	w.out[i] = w.out[--w.nr];
	return p;
}

/* One that is out of a cache, or OUT. */
static u32 any_of(u32 of)
{
	u32 i, at = w.nr ? dice(&w.d, w.nr) : 0;

	for (i = 0; i < w.nr; i++)
		if (w.out[(at + i) % w.nr].of == of)
			return (at + i) % w.nr;
	return OUT;
}

/* Somebody else has the node's lock, and the magazines are busy or not. */
struct hold {
	unsigned long flags;
	struct quarry_cache_node *n;
	struct quarry_cpu_cache *m;
	bool nmi;
};

static void hold(struct hold *h, u32 of)
{
	*h = (struct hold){};
	if (dice(&w.d, 2)) {
		h->n = w.c[of]->nodes[0];
		quarry_node_lock(h->n, &h->flags, false);
	}
	if (dice(&w.d, 2)) {
		h->m = this_cpu_ptr(w.c[of]->cpu_cache);
		if (!quarry_cpu_cache_enter(h->m))
			fail("magazines of cache %u are busy", of);
	}
	h->nmi = dice(&w.d, 2);
	machine_nmi(h->nmi);
}

static void release(struct hold *h)
{
	machine_nmi(false);
	if (h->m)
		quarry_cpu_cache_leave(h->m);
	if (h->n)
		quarry_node_unlock(h->n, h->flags);
	machine_interrupts();
}

static void take(void)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	u32 of = dice(&w.d, CACHES), nr, i, most = kinds[of].size > 1000 ? 8 : BULK;
	bool zero = !kinds[of].ctor && dice(&w.d, 2);
	struct quarry_magazine *mag;
	void *p[BULK];
	struct hold h;

	if (w.nr == OUT)
		return;
	nr = 1 + dice(&w.d, most);
	nr = nr < OUT - w.nr ? nr : OUT - w.nr;
	switch (dice(&w.d, 6)) {
	case 0:
		p[0] = zero ? quarry_cache_zalloc(w.c[of], gfp) : quarry_cache_alloc(w.c[of], gfp);
		nr = !!p[0];
		w.refused += !nr;
		break;
	case 1:
		p[0] = quarry_cache_alloc_node(w.c[of], GFP_NOWAIT | __GFP_NOWARN, 0);
		zero = false;
		nr = !!p[0];
		break;
	case 2:
		hold(&h, of);
		p[0] = quarry_cache_alloc_nolock(w.c[of], zero ? __GFP_ZERO : 0);
		release(&h);
		nr = !!p[0];
		break;
	case 3:
		mag = quarry_cache_prefill(w.c[of], gfp, nr);
		if (!mag)
			return;
		nr = dice(&w.d, nr + 1);
		for (i = 0; i < nr; i++)
			p[i] = quarry_cache_alloc_prefilled(w.c[of], zero ? __GFP_ZERO : 0, mag);
		for (i = 0; i < nr; i++)
			take_in(of, p[i], zero);
		quarry_cache_release(w.c[of], mag);
		return;
	default:
		if (!quarry_cache_alloc_bulk(w.c[of], gfp | (zero ? __GFP_ZERO : 0), nr, p))
			nr = 0;
	}
	for (i = 0; i < nr; i++)
		take_in(of, p[i], zero);
}

/* A byte of the slab that no object begins at: the last one. */
static u8 *slab_end(const void *object)
{
	const struct quarry_slab *slab = &quarry_page_slab_of(object)->slab;

	return (u8 *)(quarry_slab_start(slab) + quarry_shape_bytes(quarry_slab_shape(slab))) - 1;
}

/* A pointer that is no object of cache @of; NULL is none either, and not counted. */
static void *wrong_pointer(u32 of)
{
	const struct out *o = w.nr ? &w.out[dice(&w.d, w.nr)] : NULL;
	static char nowhere[64];
	u8 *past = w.nr_past ? w.past[dice(&w.d, min_t(u64, w.nr_past, PAST))] : NULL;

	switch (dice(&w.d, 13)) {
	case 0:
		return NULL;
	case 12:
		/* Its slab may have gone, and then it is nothing; or another's is there. */
		return past && quarry_page_slab_of(past) ? past + 1 : past;
	case 1:
		return (void *)(1 + dice(&w.d, 1 << 20));
	case 2:
		return ERR_PTR(-1 - (long)dice(&w.d, MAX_ERRNO));
	case 3:
		return (void *)(dice(&w.d, ~0ULL) | 1);
	case 4:
		return nowhere + dice(&w.d, 64);
	case 5:
		return (u8 *)page_address(w.block) + dice(&w.d, PAGE_SIZE);
	case 6:
		/* The end of all memory, and behind it. */
		return lists_memory + (lists_frames << PAGE_SHIFT) - 1 + dice(&w.d, 2);
	case 7:
		return o ? slab_end(o->p) : NULL;
	case 8:
	case 9:
		if (o && o->of != of)
			return o->p;
		fallthrough;
	default:
		return o ? o->p + 1 + dice(&w.d, kinds[o->of].size - 1) : NULL;
	}
}

static void free_one(u32 of, void *p)
{
	struct hold h;

	switch (dice(&w.d, 3)) {
	case 0:
		quarry_cache_free(w.c[of], p);
		break;
	case 1:
		hold(&h, of);
		quarry_cache_free_nolock(w.c[of], p);
		release(&h);
		break;
	default:
		quarry_cache_free_bulk(w.c[of], 1, &p);
	}
}

static void give(void)
{
	u32 of = dice(&w.d, CACHES), nr = 1 + dice(&w.d, BULK), rate = dice(&w.d, 8), i, at;
	void *p[BULK];

	if (dice(&w.d, 2)) {
		at = any_of(of);
		if (at != OUT)
			free_one(of, leave(at));
		return;
	}
	for (i = 0; i < nr; i++) {
		at = any_of(of);
		if (at == OUT || dice(&w.d, 8) < rate) {
			p[i] = wrong_pointer(of);
			w.wrong[of] += !!p[i];
		} else {
			p[i] = leave(at);
		}
	}
	quarry_cache_free_bulk(w.c[of], nr, p);
}

static void give_wrong(void)
{
	u32 of = dice(&w.d, CACHES);
	void *p = wrong_pointer(of);

	free_one(of, p);
	w.wrong[of] += !!p;
}

/* Twice, and nobody between. */
static void give_twice(void)
{
	u32 at = w.nr ? dice(&w.d, w.nr) : OUT, of;
	struct hold h;
	void *p;

	if (at == OUT)
		return;
	of = w.out[at].of;
	p = leave(at);
	w.wrong[of]++;
	if (!dice(&w.d, 3)) {
		hold(&h, of);
		quarry_cache_free_nolock(w.c[of], p);
		quarry_cache_free_nolock(w.c[of], p);
		release(&h);
		return;
	}
	quarry_cache_free(w.c[of], p);
	if (dice(&w.d, 2))
		quarry_cache_free(w.c[of], p);
	else
		quarry_cache_free_bulk(w.c[of], 1, &p);
}

/* What lies behind a guarded object, which AddressSanitizer does not know of. */
static void write_beside(void)
{
	u32 at = w.nr ? dice(&w.d, w.nr) : OUT, of;
	struct quarry_page_slab *s;
	u8 *p, *beside;

	if (at == OUT)
		return;
	of = w.out[at].of;
	p = w.out[at].p;
	s = quarry_page_slab_of(p);
	if (!s->records || !test_bit(QUARRY_RECORD_RED, &quarry_guard_record(s, p)->flags))
		return;
	beside = dice(&w.d, 2) ? p - 1 - dice(&w.d, w.c[of]->red) :
				 p + kinds[of].size + dice(&w.d, 8);
	*beside ^= 1 + dice(&w.d, 255);
	free_one(of, leave(at));
	w.wrong[of]++;
}

/* With objects out it stays until they have come; then there is another. */
static void live_again(void)
{
	u32 of = dice(&w.d, CACHES), i, nr = 0;
	struct quarry_cache *c = w.c[of];
	u64 leaks = machine_leaks;
	void *p[OUT];
	int err;

	for (i = w.nr; i--;)
		if (w.out[i].of == of) {
			if (!dice(&w.d, 4))
				continue;
			quarry_cache_free(c, leave(i));
		}
	check_errors();
	err = quarry_cache_destroy(c);
	for (i = w.nr; i--;)
		if (w.out[i].of == of)
			p[nr++] = leave(i);
	if (err != (nr ? -EBUSY : 0) || machine_leaks - leaks != nr)
		fail("cache %u with %u objects out was destroyed with %d: %llu are out", of, nr,
		     err, machine_leaks - leaks);
	/* Dead, and all that is wrong with it is refused. */
	for (i = 0; i < nr; i++) {
		if (quarry_cache_alloc(c, GFP_KERNEL) || quarry_cache_destroy(c) != -EBUSY)
			fail("cache %u is dead and lives", of);
		if (machine_leaks - leaks != nr)
			fail("cache %u was destroyed twice", of);
		quarry_cache_free(c, (u8 *)p[i] + 1);
		quarry_cache_free(c, p[i]);
	}
	machine_reap();
	machine_grace_period();
	make(of);
}

static void step(void)
{
	machine_cpu(dice(&w.d, LISTS_CPUS));
	switch (dice(&w.d, 64)) {
	case 0 ... 23:
		take();
		break;
	case 24 ... 41:
		give();
		break;
	case 42 ... 52:
		give_wrong();
		break;
	case 53 ... 56:
		give_twice();
		break;
	case 57 ... 59:
		write_beside();
		break;
	case 60:
		if (!dice(&w.d, 4))
			quarry_cache_set_modes(w.c[dice(&w.d, CACHES)],
					       dice(&w.d, 2) ? dice(&w.d, QUARRY_MODES + 1) : 0);
		break;
	case 61:
		if (!dice(&w.d, 4))
			quarry_cache_shrink(w.c[dice(&w.d, CACHES)]);
		break;
	case 62:
		if (!dice(&w.d, 4))
			machine_reap();
		else
			machine_grace_period();
		break;
	default:
		if (!dice(&w.d, 8))
			live_again();
	}
}

static void begin(bool tight)
{
	u32 i;

	w.pool = machine_objects_init(MIB);
	machine_rest(true);
	while (tight && w.nr_kept < LARGE - LEFT)
		w.kept[w.nr_kept++] = quarry_alloc_pages(w.pool, GFP_KERNEL, LARGE_ORDER);
	w.block = quarry_alloc_pages(w.pool, GFP_KERNEL, 2);
	tap_require(w.block, "no block");
	for (i = 0; i < CACHES; i++)
		make(i);
}

/* All comes back, all goes, and the pool has all that it had. */
static void end(void)
{
	u32 i;

	while (w.nr) {
		u32 of = w.out[w.nr - 1].of;

		quarry_cache_free(w.c[of], leave(w.nr - 1));
	}
	check_errors();
	check_all();
	for (i = 0; i < CACHES; i++)
		if (quarry_cache_destroy(w.c[i]))
			fail("cache %u has objects out", i);
	machine_grace_period();
	quarry_free_pages(w.pool, w.block, 2);
	while (w.nr_kept)
		quarry_free_pages(w.pool, w.kept[--w.nr_kept], LARGE_ORDER);
	machine_settle(w.pool);
	if (machine_zone(w.pool)->buddy.nfree != w.pool->max)
		fail("%llu frames of %llu are free", machine_zone(w.pool)->buddy.nfree,
		     w.pool->max);
	if (atomic_read(&w.pool->refs) != 1)
		fail("somebody keeps the pool");
	machine_rest(true);
	machine_objects_exit();
}

static void walk(const void *arg)
{
	u64 seed = env_number("SEED", 1), steps = env_number("STEPS", 200000);
	bool tight = arg;

	dice_seed(&w.d, seed);
	begin(tight);
	for (w.step = 0; w.step < steps; w.step++) {
		step();
		check_errors();
		if (!(w.step % 4096))
			check_all();
	}
	end();
	printf("# seed %llu, %llu steps, %llu reports, %llu got nothing\n", seed, steps,
	       machine_reports, w.refused);
	tap_require(tight == !!w.refused, "the pool was full, or was not");
}

#define THREADS		4u
#define SLOTS		64u
#define TURNS		2000u

/* Objects between two owners, each with its cache's number in the last bits of its address. */
static void *slots[SLOTS];

/**
 * struct member - one of a crowd
 * @d:		what comes next
 * @cpu:	his
 * @wrong:	calls of his that must have been refused, by cache
 */
struct member {
	struct dice d;
	u32 cpu;
	u64 wrong[CACHES];
};

/* Here is an object, or NULL: who gets it in turn for what lay in that place? */
static void *exchange(struct member *m, void *p)
{
	return xchg(&slots[dice(&m->d, SLOTS)], p);
}

static void pass_on(struct member *m, u32 of, void *p)
{
	struct out o = { .p = p, .of = of, .salt = (unsigned long)p >> 4 };

	fill(&o);
	p = exchange(m, (void *)((unsigned long)p | of));
	if (!p)
		return;
	o.of = (unsigned long)p & 7;
	o.p = (void *)((unsigned long)p & ~7UL);
	o.salt = (unsigned long)o.p >> 4;
	must_be_whole(&o);
	switch (dice(&m->d, 4)) {
	case 0:
		quarry_cache_free_nolock(w.c[o.of], o.p);
		break;
	case 1: {
		void *two[] = { o.p + (kinds[o.of].size > 8 ? 9 : 3), o.p };

		quarry_cache_free_bulk(w.c[o.of], 2, two);
		m->wrong[o.of]++;
		break;
	}
	case 2:
		/* To another cache, which has none of it. */
		quarry_cache_free(w.c[(o.of + 1) % CACHES], o.p);
		m->wrong[(o.of + 1) % CACHES]++;
		fallthrough;
	default:
		quarry_cache_free(w.c[o.of], o.p);
	}
}

static void *be_one(void *arg)
{
	struct member *m = arg;
	u32 turn, of, nr, i;
	void *p[16];

	machine_cpu(m->cpu);
	for (turn = 0; turn < TURNS; turn++) {
		of = dice(&m->d, CACHES);
		switch (dice(&m->d, 4)) {
		case 0:
			nr = 1 + dice(&m->d, 16);
			if (!quarry_cache_alloc_bulk(w.c[of], GFP_KERNEL, nr, p))
				nr = 0;
			for (i = 0; i < nr; i++)
				pass_on(m, of, p[i]);
			break;
		case 1:
			p[0] = quarry_cache_alloc_nolock(w.c[of], 0);
			if (p[0])
				pass_on(m, of, p[0]);
			break;
		default:
			p[0] = quarry_cache_alloc(w.c[of], GFP_KERNEL);
			if (p[0])
				pass_on(m, of, p[0]);
		}
	}
	return NULL;
}

static void crowd(const void *arg)
{
	u64 seed = env_number("SEED", 1), rounds = env_number("ROUNDS", 20);
	static struct member m[THREADS];
	pthread_t t[THREADS];
	u32 i, k;

	dice_seed(&w.d, seed);
	begin(false);
	for (i = 0; i < THREADS; i++) {
		dice_seed(&m[i].d, seed + 1 + i);
		m[i].cpu = i;
	}
	for (w.step = 0; w.step < rounds; w.step++) {
		machine_rest(false);
		for (i = 0; i < THREADS; i++)
			if (pthread_create(&t[i], NULL, be_one, &m[i]))
				fail("no thread");
		for (i = 0; i < THREADS; i++)
			pthread_join(t[i], NULL);
		machine_rest(true);
		for (i = 0; i < THREADS; i++)
			for (k = 0; k < CACHES; k++) {
				w.wrong[k] += m[i].wrong[k];
				m[i].wrong[k] = 0;
			}
		check_errors();
		check_all();
		machine_grace_period();
		for (k = 0; k < CACHES; k++) {
			if (!dice(&w.d, 3))
				quarry_cache_set_modes(w.c[k], dice(&w.d, QUARRY_MODES + 1));
			if (!dice(&w.d, 3))
				quarry_cache_shrink(w.c[k]);
		}
		machine_reap();
	}
	for (i = 0; i < SLOTS; i++)
		if (slots[i])
			quarry_cache_free(w.c[(unsigned long)slots[i] & 7],
					  (void *)((unsigned long)slots[i] & ~7UL));
	end();
	printf("# seed %llu, %llu rounds, %llu reports\n", seed, rounds, machine_reports);
}

#ifdef __SANITIZE_THREAD__
/*
 * The fast path reads a label of any address without a mark, for two instructions less
 * (quarry/cache_fast.h): of a frame that is being labelled now it sees either.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:quarry_label_look\n";
}
#endif

int main(void)
{
#ifdef __SANITIZE_THREAD__
	(void)walk;
	tap_plan(1);
#else
	tap_plan(3);
	tap_run("walk", walk, NULL);
	tap_run("full", walk, "tight");
#endif
	tap_run("crowd", crowd, NULL);
	return tap_end();
}
