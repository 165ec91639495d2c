// SPDX-License-Identifier: GPL-2.0
/*
 * Small cases, completely. QUICK=1 leaves out the largest of them.
 *
 * states	Every state that an arena of a few units can reach, and from each
 *		state every operation with every argument. A unit is a frame, and
 *		then an area, so that both layers of lines are walked; arenas lie
 *		at each alignment and across borders of areas and areagroups. A state
 *		is one byte a unit (what begins there, free, free and zero,
 *		inside a block), so eight units are the key of a set. States are
 *		built from nothing, each time.
 * positions	Every order at every place of an arena, first and last included.
 * alignments	Runs of telling lengths, every alignment, both directions, in an
 *		arena that is empty, that has one frame out, or every other one.
 * pairs	Two blocks out, every pair of orders and places inside an area;
 *		freed in either order.
 * batches	claim_many of every order, of every length up to 70 and more.
 * homes	Claimers that name a home, apart and together.
 * lives	Short lives and others, apart as long as that pays.
 * refusals	What must be refused, and changes nothing.
 * indices	The indices of fragmentation, against figures made by hand.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dice.h"
#include "tap.h"
#include "twin.h"

#define FREE		0x00
#define FREE_ZERO	0x01
#define INSIDE		0x02
#define UNITS		8

#define KIND		QUARRY_STATE_ALLOC
#define WANT(o, ...)	(&(struct quarry_want){ .order = (o), .kind = KIND, ##__VA_ARGS__ })

/* Where the arena lies: absolute first unit, units, and frames a unit as order. */
struct place {
	u64 first;
	unsigned int units;
	unsigned int shift;
};

struct set {
	u64 *key;
	u64 *queue;
	size_t room;
	size_t nr;
};

static bool set_add(struct set *s, u64 key)
{
	size_t i = (key * 0x9e3779b97f4a7c15ULL) >> 40 & (s->room - 1);

	/* No key is ~0. */
	while (s->key[i] != ~0ull && s->key[i] != key)
		i = (i + 1) & (s->room - 1);
	if (s->key[i] == key)
		return false;
	s->key[i] = key;
	s->queue[s->nr++] = key;
	if (s->nr > s->room / 2)
		abort();
	return true;
}

static u8 unit_of(u64 key, unsigned int u)
{
	return key >> (8 * u);
}

/* The state of a twin as a key; from the model. */
static u64 key_of(const struct twin *t, const struct place *p)
{
	const struct model_arena *a = &t->m.arena[0];
	u64 key = 0, at, end;
	u8 symbol[UNITS];
	unsigned int u;
	size_t i;

	for (u = 0; u < p->units; u++)
		symbol[u] = a->out[(u64)u << p->shift] ? INSIDE :
			    a->zero[(u64)u << p->shift] ? FREE_ZERO : FREE;
	for (i = 0; i < t->m.nr_live; i++) {
		const struct model_block *b = &t->m.live[i];
		u8 kind = b->run ? QUARRY_STATE_RUN : KIND;

		for (at = b->at, end = at + b->nr; at < end; ) {
			unsigned int order = model_part(a, at, end);

			symbol[at >> p->shift] = kind | (order - p->shift);
			kind = QUARRY_STATE_RUN_MORE;
			at += 1ull << order;
		}
	}
	for (u = p->units; u--; )
		key = key << 8 | symbol[u];
	return key;
}

/* Build a state from nothing. */
static void build(struct twin *t, const struct place *p, u64 key)
{
	unsigned int u, v;
	u32 s = (p->first << p->shift) % 512;

	twin_init(t);
	t->seed = key;
	t->policy = 1;
	twin_add(t, 0, p->first << p->shift, p->units << p->shift, true);
	for (u = 0; u < p->units; u++)
		if (unit_of(key, u) == FREE) {
			twin_claim_at(t, 0, (u64)u << p->shift, p->shift, KIND);
			twin_free(t, t->m.nr_live - 1, false);
		}
	for (u = 0; u < p->units; u++) {
		u8 symbol = unit_of(key, u);
		u64 lo = ((u64)u << p->shift) + s, hi;

		if ((symbol & QUARRY_STATE_KIND) == KIND) {
			twin_claim_at(t, 0, (u64)u << p->shift,
				      (symbol & QUARRY_STATE_ORDER) + p->shift, KIND);
		} else if ((symbol & QUARRY_STATE_KIND) == QUARRY_STATE_RUN) {
			v = u + (1u << (symbol & QUARRY_STATE_ORDER));
			while (v < p->units &&
			       (unit_of(key, v) & QUARRY_STATE_KIND) == QUARRY_STATE_RUN_MORE)
				v += 1u << (unit_of(key, v) & QUARRY_STATE_ORDER);
			hi = lo + ((u64)(v - u) << p->shift);
			twin_claim_run(t, 0, lo, hi, hi - lo, 1, false);
		}
	}
	if (key_of(t, p) != key)
		twin_fail(t, "built %#llx", key_of(t, p));
}

/* Do operation number @op in a state. Returns false when there are no more. */
static bool operate(struct twin *t, const struct place *p, unsigned int op)
{
	const unsigned int n = p->units, orders = 4;
	u32 s = (p->first << p->shift) % 512;
	unsigned int lo, hi, nr, align;

	if (op < orders) {
		twin_claim(t, WANT(op + p->shift));
		return true;
	}
	op -= orders;
	if (op < orders * n) {
		twin_claim_many(t, WANT(op / n + p->shift), op % n + 1);
		return true;
	}
	op -= orders * n;
	if (op < orders * n) {
		twin_claim_at(t, 0, (u64)(op % n) << p->shift, op / n + p->shift, KIND);
		return true;
	}
	op -= orders * n;
	if (op < 2 * t->m.nr_live) {
		twin_free(t, op / 2, op & 1);
		return true;
	}
	op -= 2 * t->m.nr_live;
	if (op < (n + 2) * t->m.nr_live) {
		twin_trim(t, op / (n + 2), (op % (n + 2)) << p->shift);
		return true;
	}
	op -= (n + 2) * t->m.nr_live;
	if (op < (n + 1) * n) {
		twin_check_run(t, 0, ((u64)(op % n) << p->shift) + s,
			       (op / n) << p->shift);
		return true;
	}
	op -= (n + 1) * n;
	if (!op) {
		twin_remove(t, 0);
		return true;
	}
	op--;
	/* Every window, length, alignment and direction. */
	for (lo = 0; lo < n; lo++)
		for (hi = lo + 1; hi <= n; hi++)
			for (nr = 1; nr <= hi - lo; nr++)
				for (align = 0; align < orders; align++) {
					if (op < 2) {
						twin_claim_run(t, 0,
							       ((u64)lo << p->shift) + s,
							       ((u64)hi << p->shift) + s,
							       nr << p->shift,
							       1u << (align + p->shift),
							       op & 1);
						return true;
					}
					op -= 2;
				}
	return false;
}

static u64 enumerate(const struct place *p, u64 *states)
{
	struct set set = { .room = 1u << 18 };
	unsigned int op;
	size_t done;
	struct twin t;
	u64 key, nr = 0;

	set.key = malloc(set.room * sizeof(*set.key));
	set.queue = malloc(set.room * sizeof(*set.queue));
	if (!set.key || !set.queue)
		abort();
	memset(set.key, 0xff, set.room * sizeof(*set.key));
	for (key = 0, op = 0; op < p->units; op++)
		key = key << 8 | FREE_ZERO;
	set_add(&set, key);
	for (done = 0; done < set.nr; done++) {
		for (op = 0; ; op++) {
			bool more;

			build(&t, p, set.queue[done]);
			more = operate(&t, p, op);
			if (!op || t.m.arena[0].present)
				twin_full(&t);
			if (more && t.m.arena[0].present)
				set_add(&set, key_of(&t, p));
			twin_fini(&t);
			if (!more)
				break;
			nr++;
		}
	}
	*states += set.nr;
	free(set.key);
	free(set.queue);
	return nr;
}

static void states(const void *arg)
{
	const struct place *places = arg;
	u64 nr_states = 0, nr = 0;

	const bool quick = env_number("QUICK", 0);

	for (; places->units; places++)
		if (!quick || places->units < 4)
			nr += enumerate(places, &nr_states);
	printf("# reached %llu, each with every operation: %llu\n", nr_states, nr);
}

static const struct place frames[] = {
	{ 0, 1, 0 }, { 1, 1, 0 }, { 0, 2, 0 }, { 511, 2, 0 }, { 1, 3, 0 },
	{ 510, 4, 0 }, { 262142, 4, 0 }, { 1021, 4, 0 }, { 509, 5, 0 },
	{},
};

static const struct place areas[] = {
	{ 0, 1, 9 }, { 7, 1, 9 }, { 0, 2, 9 }, { 511, 2, 9 }, { 511, 3, 9 }, { 5, 3, 9 },
	{},
};

static void fresh(struct twin *t, u64 first, u32 nr, bool zero)
{
	twin_init(t);
	t->policy = 1;
	twin_add(t, 0, first, nr, zero);
}

static void positions(const void *arg)
{
	static const struct { u64 first; u32 nr; unsigned int orders; u64 most; } at[] = {
		{ 1024, 1024, 11, ~0u },
		{ 777, 5000, 13, ~0u },
		{ 262144 - 1025, 2100, 12, ~0u },
		{ 262144 - 700, 2 * 262144 + 900, 19, 6 },
	};
	unsigned int i, order;
	struct twin t;
	u64 size, f, nr, last;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		fresh(&t, at[i].first, at[i].nr, true);
		for (order = 0; order < at[i].orders; order++) {
			size = 1ull << order;
			f = (at[i].first + size - 1) / size * size - at[i].first;
			last = (at[i].first + at[i].nr) / size * size - at[i].first;
			for (nr = 0; f + size <= at[i].nr; f += size, nr++) {
				/* Of many, the first and the last ones. */
				if (nr >= at[i].most && f + at[i].most * size < last)
					continue;
				if (twin_claim_at(&t, 0, f, order, KIND))
					twin_fail(&t, "frame %llu order %u", f, order);
				if (order < 10 || nr < 4)
					twin_claim_at(&t, 0, f, order, KIND);
				twin_claim(&t, WANT(order));
				if (t.m.nr_live == 2)
					twin_free(&t, 1, true);
				twin_free(&t, 0, true);
			}
		}
		twin_drain(&t);
		twin_fini(&t);
	}
}

/* Runs anywhere, anywhere but at the ends, just here, and just at the end. */
static void runs(struct twin *t, u32 len, u32 align, bool down)
{
	u32 s = t->m.arena[0].first % 512, end = s + t->m.arena[0].nr;
	size_t had = t->m.nr_live;

	twin_claim_run(t, 0, 0, ~0u, len, align, down);
	twin_claim_run(t, 0, s + 1, end - 1, len, align, down);
	twin_claim_run(t, 0, s + 64, s + 64 + len, len, align, down);
	twin_claim_run(t, 0, end - len, end, len, align, down);
	while (t->m.nr_live > had)
		twin_free(t, t->m.nr_live - 1, align & 0x5555);
}

static void alignments(const void *arg)
{
	static const u32 lengths[] = {
		1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 63, 64, 65, 127, 128, 129, 200, 255, 257,
		511, 512, 513, 700, 1023, 1024, 1025, 1536, 2000,
	};
	static const u64 firsts[] = { 0, 777, 262144 - 1025 };
	const u32 nr = 2600;
	unsigned int i, j, k, out;
	struct twin t;
	u32 f;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(firsts); i++) {
		for (out = 0; out < 3; out++) {
			fresh(&t, firsts[i], nr, true);
			for (f = out ? 37 : nr; f < nr; f += out == 1 ? nr : 75)
				twin_claim_at(&t, 0, f, 0, KIND);
			for (j = 0; j < ARRAY_SIZE(lengths); j++)
				for (k = 0; k < 28; k++)
					runs(&t, lengths[j], 1u << k / 2, k & 1);
			twin_drain(&t);
			twin_fini(&t);
		}
	}
}

/* The second is refused when they overlap. */
static void pair(struct twin *t, u64 i, unsigned int k, u64 j, unsigned int l)
{
	unsigned int first;

	for (first = 0; first < 2; first++) {
		twin_claim_at(t, 0, i, k, KIND);
		twin_claim_at(t, 0, j, l, KIND);
		if (t->m.nr_live == 2)
			twin_free(t, first, j & 64);
		twin_free(t, 0, i & 64);
	}
}

static void pairs(const void *arg)
{
	unsigned int k, l, i, j;
	struct twin t;

	(void)arg;
	fresh(&t, 512, 512, true);
	for (k = 0; k < 10; k++) {
		for (i = 0; i < 512; i += 1u << k) {
			/* Of places far from all borders some will do. */
			if (i > 70 && i + (1u << k) < 440 && i % 64 > 2)
				continue;
			for (l = 0; l < 10; l++)
				for (j = 0; j < 512; j += 1u << l)
					pair(&t, i, k, j, l);
		}
	}
	twin_drain(&t);
	twin_fini(&t);
}

static void batches(const void *arg)
{
	static const unsigned int more[] = { 100, 127, 128, 129, 255, 256, 300, 511, 512 };
	unsigned int order, nr, i;
	struct twin t;

	(void)arg;
	fresh(&t, 1000, 9000, true);
	for (order = 0; order < 14; order++)
		for (i = 1; i < 70 + ARRAY_SIZE(more); i++) {
			nr = i < 70 ? i : more[i - 70];
			twin_claim_many(&t, WANT(order), nr);
			twin_claim_many(&t, WANT(order), 3);
			while (t.m.nr_live)
				twin_free(&t, nr & 1 ? 0 : t.m.nr_live - 1, nr & 2);
		}
	twin_drain(&t);
	twin_fini(&t);
}

/* The area of the block that was claimed last. */
static u64 last_area(const struct twin *t)
{
	const struct model_block *block = &t->m.live[t->m.nr_live - 1];

	return (t->m.arena[block->arena].first + block->at) / 512;
}

/* Claimers that name a home have areas of their own while there are any. */
static void homes_apart(const void *arg)
{
	u64 area[QUARRY_HOMES];
	struct twin t;
	unsigned int got;
	u8 home, other;

	(void)arg;
	fresh(&t, 0, 512 * 16, true);
	for (home = 1; home < 6; home++) {
		twin_claim_many(&t, WANT(0, .home = home), 1);
		area[home] = last_area(&t);
		for (other = 1; other < home; other++)
			if (area[other] == area[home])
				twin_fail(&t, "homes %u and %u share an area", other, home);
	}
	for (home = 1; home < 6; home++) {
		twin_claim_many(&t, WANT(3, .home = home), 4);
		if (last_area(&t) != area[home])
			twin_fail(&t, "home %u left its area", home);
	}
	/* Nobody's claim goes where it fits best, whoever's home that is. */
	twin_claim_many(&t, WANT(0), 1);
	twin_drain(&t);
	twin_fini(&t);
	/* Where whole areas are few they are not broken for that. */
	fresh(&t, 0, 512 * 4, false);
	for (home = 1; home < 6; home++)
		twin_claim_many(&t, WANT(0, .home = home), 1);
	if (t.b.nr_whole != 2)
		twin_fail(&t, "%u whole areas left of 4, not 2", (unsigned int)t.b.nr_whole);
	twin_drain(&t);
	twin_fini(&t);
	/* One area for all: shared, to the last frame. */
	fresh(&t, 0, 512, false);
	for (home = 1; t.b.nfree; home = 1 + home % (QUARRY_HOMES - 1)) {
		got = twin_claim_many(&t, WANT(0, .home = home), 3);
		if (!got)
			twin_fail(&t, "free and not to be had by home %u", home);
	}
	twin_drain(&t);
	twin_fini(&t);
}

/* Claims of zeros take zero frames, and others leave them, of blocks that are as good. */
static void expect_zeros(struct twin *t, unsigned int order, bool zero, unsigned int nr)
{
	u64 before = t->b.nr_zero, taken;
	bool got = true;

	while (nr--)
		got &= twin_claim(t, WANT(order, .zero = zero));
	if (!got)
		twin_fail(t, "free and not to be had");
	taken = before - t->b.nr_zero;
	if (zero ? t->b.nr_zero : taken)
		twin_fail(t, "order %u: %llu zero frames taken, %llu left", order, taken,
			  t->b.nr_zero);
}

/* Of 16 arenas those that are wanted are every second, or the last: all of these are found. */
static void zero_arenas(unsigned int order, bool zero, bool last)
{
	unsigned int i, nr = 0;
	struct twin t;
	bool wanted;

	twin_init(&t);
	t.policy = 1;
	for (i = 0; i < 16; i++) {
		wanted = last ? i >= 10 : i & 1;
		nr += wanted;
		twin_add(&t, i, i * 4096, 1024, wanted == zero);
	}
	expect_zeros(&t, order, zero, nr << 10 >> order);
	twin_drain(&t);
	twin_fini(&t);
}

/* Areas that are claimed as zeros are zero: so many are left then. */
static void expect_zero_areas(struct twin *t, unsigned int nr)
{
	u64 left = t->b.nr_zero;
	bool got;

	for (; nr; nr--) {
		got = twin_claim(t, WANT(9, .zero = true));
		left -= 512;
		if (!got || t->b.nr_zero != left)
			twin_fail(t, "%llu zero frames left, not %llu", t->b.nr_zero, left);
	}
}

/* Zeros in the middle of the only run there is, and behind shorter runs that have none. */
static void zero_areas(void)
{
	struct twin t;
	size_t k;

	fresh(&t, 0, 64 * 512, true);
	t.policy = 1;
	for (k = 0; k < 32; k++)
		twin_claim(&t, WANT(9));
	twin_drain(&t);
	expect_zero_areas(&t, 16);
	twin_drain(&t);
	twin_fini(&t);
	fresh(&t, 0, 64 * 512, true);
	for (k = 0; k < 16; k++)
		twin_claim(&t, WANT(9));
	for (k = t.m.nr_live; k--;)
		if (t.m.live[k].at / 512 % 2)
			twin_free(&t, k, false);
	expect_zero_areas(&t, 8);
	/* Who does not want them breaks no longer run. */
	if (!twin_claim(&t, WANT(9)) || t.b.nr_zero != 40 * 512)
		twin_fail(&t, "zeros for nobody");
	twin_drain(&t);
	twin_fini(&t);
}

static void zeros(const void *arg)
{
	static const unsigned int orders[] = { 5, 6, 7, 9, 10 };
	unsigned int i, order, n, blocks;
	size_t k;
	struct twin t;

	(void)arg;
	/* In one area, or of areas, blocks alone, of which each second is zero. */
	for (i = 0; i < ARRAY_SIZE(orders); i++)
		for (n = 0; n < 2; n++) {
			order = orders[i];
			blocks = order < 9 && 512 >> order < 16 ? 512 >> order : 16;
			fresh(&t, 0, blocks << order, false);
			while (twin_claim(&t, WANT(order)))
				;
			for (k = t.m.nr_live; k--;)
				if (t.m.live[k].at >> order & 1)
					twin_free(&t, k, t.m.live[k].at >> order & 2);
			expect_zeros(&t, order, n, blocks / 4);
			expect_zeros(&t, order, !n, blocks / 4);
			twin_drain(&t);
			twin_fini(&t);
		}
	for (i = 0; i < 8; i++)
		zero_arenas(9 + (i & 1), i & 2, i & 4);
	zero_areas();
}

/* The arena of the block that was claimed last. */
static unsigned int last_arena(const struct twin *t)
{
	return t->m.live[t->m.nr_live - 1].arena;
}

/* The life of its area. */
static u8 last_life(const struct twin *t)
{
	const struct model_block *p = &t->m.live[t->m.nr_live - 1];

	return t->arena[p->arena].areas[p->at / 512].life;
}

static void arenas(struct twin *t, unsigned int nr, u32 frames)
{
	unsigned int i;

	twin_init(t);
	t->policy = 1;
	for (i = 0; i < nr; i++)
		twin_add(t, i, (u64)i * frames, frames, false);
}

/* Where there are few arenas lives share them: three pages leave three of four. */
static void lives_in_few_arenas(void)
{
	unsigned int nr = 0;
	struct twin t;
	u8 life;

	arenas(&t, 4, 1024);
	for (life = 0; life < QUARRY_LIVES; life++) {
		twin_claim(&t, WANT(0, .life = life));
		if (last_life(&t) != quarry_area_life(life))
			twin_fail(&t, "life %u is in an area of %u", life, last_life(&t));
	}
	if (t.b.nr_whole != 6)
		twin_fail(&t, "three pages broke %llu areas of 8", 8 - t.b.nr_whole);
	while (twin_claim(&t, WANT(10)))
		nr++;
	if (nr != 3)
		twin_fail(&t, "%u arenas left of 4", nr);
	twin_drain(&t);
	twin_fini(&t);
}

/* Where there are many, short lives have their own while there are any, and then all serve. */
static void lives_in_many_arenas(void)
{
	unsigned int arena[QUARRY_LIVES], i;
	struct twin t;
	u8 life;

	arenas(&t, 16, 2048);
	for (i = 0; i < 3 * 1024; i++) {
		life = i % QUARRY_LIVES;
		twin_claim(&t, WANT(0, .life = life));
		if (i < QUARRY_LIVES)
			arena[life] = last_arena(&t);
		if (last_arena(&t) != arena[life])
			twin_fail(&t, "life %u left its arena", life);
	}
	if (arena[QUARRY_LIFE_PAGE] == arena[QUARRY_LIFE_SHORT] ||
	    arena[QUARRY_LIFE_PAGE] != arena[QUARRY_LIFE_SLAB])
		twin_fail(&t, "arenas %u, %u and %u", arena[0], arena[1], arena[2]);
	for (i = t.b.nfree / 256; i; i--)
		twin_claim(&t, WANT(8, .life = QUARRY_LIFE_SHORT));
	for (i = t.b.nfree; i; i--)
		twin_claim(&t, WANT(0, .life = QUARRY_LIFE_SHORT));
	if (t.b.nfree)
		twin_fail(&t, "free and not to be had");
	twin_drain(&t);
	twin_fini(&t);
}

/* The last whole areas are dearer than to keep lives apart: two of 64. */
static void lives_and_last_areas(void)
{
	struct twin t;
	unsigned int i;

	fresh(&t, 0, 64 * 512, false);
	for (i = 0; i < 61; i++)
		twin_claim(&t, WANT(9));
	twin_claim(&t, WANT(0));
	twin_claim(&t, WANT(0, .life = QUARRY_LIFE_SHORT));
	if (t.b.nr_whole != 2)
		twin_fail(&t, "one of the last two whole areas is broken");
	twin_drain(&t);
	twin_fini(&t);
}

/* A short block comes and goes as often as it takes to turn all frames over @times. */
static void turn_over(struct twin *t, unsigned int times)
{
	u64 frames;

	for (frames = 0; frames < times * t->b.nr_frames; frames += 256) {
		twin_claim(t, WANT(8, .life = QUARRY_LIFE_SHORT));
		twin_free(t, t->m.nr_live - 1, false);
	}
}

/* A page of the first area goes; does a short one come there? */
static void expect_mixed(struct twin *t, bool mixed)
{
	size_t k;

	for (k = 0; t->m.live[k].at / 512; k++)
		;
	twin_free(t, k, false);
	twin_claim(t, WANT(0, .life = QUARRY_LIFE_SHORT));
	if (last_life(t) != (mixed ? QUARRY_LIFE_PAGE : QUARRY_LIFE_SHORT))
		twin_fail(t, "lives %smix, with %llu in vain", mixed ? "do not " : "", t->vain);
}

/*
 * Lives are apart as long as that pays. Half of 16 areas is out; then short blocks come and
 * go with no area becoming whole, so that lives mix. When most of the short ones have gone,
 * more is in holes than is out, and lives are apart again.
 */
static void lives_in_vain(void)
{
	unsigned int i;
	struct twin t;
	size_t k;

	fresh(&t, 0, 16 * 512, false);
	t.policy = 1;
	for (i = 0; i < 8 * 512 + 2; i++)
		twin_claim(&t, WANT(0, .life = i % 2));
	expect_mixed(&t, false);
	turn_over(&t, 2);
	expect_mixed(&t, false);
	turn_over(&t, 1);
	expect_mixed(&t, true);
	for (k = t.m.nr_live; k--;)
		if (t.arena[0].areas[t.m.live[k].at / 512].life && t.m.live[k].at % 512)
			twin_free(&t, k, false);
	expect_mixed(&t, false);
	twin_drain(&t);
	twin_fini(&t);
}

/* Blocks of short lives that go together pay, however often they do. */
static void lives_in_bursts(void)
{
	unsigned int round, i;
	struct twin t;
	size_t k;

	fresh(&t, 0, 16 * 512, false);
	t.policy = 16;
	for (round = 0; round < 16; round++) {
		for (i = 0; i < 24 * 256; i++)
			twin_claim(&t, WANT(0, .life = !!(i % 8)));
		for (k = t.m.nr_live; k--;)
			if (t.arena[0].areas[t.m.live[k].at / 512].life)
				twin_free(&t, k, false);
		if (t.b.nr_whole != 16 - (24 * 256 / 8 + 511) / 512)
			twin_fail(&t, "round %u: %llu areas whole", round, t.b.nr_whole);
		while (t.m.nr_live)
			twin_free(&t, t.m.nr_live - 1, false);
	}
	twin_fini(&t);
}

/* An area that was whole again has no life. */
static void lives_end(void)
{
	struct twin t;
	u8 life;

	fresh(&t, 0, 512, false);
	for (life = 0; life < QUARRY_LIVES; life++) {
		twin_claim(&t, WANT(4, .life = life));
		twin_drain(&t);
	}
	twin_fini(&t);
}

static void lives(const void *arg)
{
	(void)arg;
	lives_in_few_arenas();
	lives_in_many_arenas();
	lives_and_last_areas();
	lives_in_vain();
	lives_in_bursts();
	lives_end();
}

/*
 * Enough areas for several places and for lives to be kept apart, and enough claims for
 * what was asked for to be forgotten: the policy of the model looks at each claim.
 */
static void long_memory(const void *arg)
{
	struct dice d;
	u64 level;
	unsigned int i, k;
	struct twin t;

	(void)arg;
	dice_seed(&d, 9);
	fresh(&t, 0, 66 * 512, false);
	t.policy = 4;
	for (i = 0; i < 3 * QUARRY_ASKED_CLAIMS; i++) {
		/* Order 8 is asked for at times, order 3 in one of the thirds. */
		k = i % 1500 == 99 ? 8 : dice(&d, 3);
		if (i / QUARRY_ASKED_CLAIMS == 1 && i % 64 == 0)
			k = 5;
		twin_claim(&t, WANT(k, .life = i % 16 ? 0 : QUARRY_LIFE_SHORT));
		/* Between nearly full and a half. */
		level = 65 * 512 / (1 + i % 3000 / 1500);
		while (t.b.nr_frames - t.b.nfree > level - dice(&d, 512) && t.m.nr_live)
			twin_free(&t, dice(&d, t.m.nr_live), false);
	}
	twin_drain(&t);
	twin_fini(&t);
}

/*
 * A frame is taken from a free block of order 3 in a late place rather than from one of
 * order 5 in an early one, as long as it is known that somebody asks for order 5.
 */
static void asked(const void *arg)
{
	unsigned int i;
	struct twin t;
	u64 area;
	size_t k;

	(void)arg;
	fresh(&t, 0, 16 * 512, false);
	t.policy = 256;
	while (twin_claim(&t, WANT(3)))
		;
	for (k = t.m.nr_live; k--;)
		if (t.m.live[k].at < 32 || t.m.live[k].at == 9 * 512)
			twin_free(&t, k, false);
	if (!twin_claim(&t, WANT(5)))
		twin_fail(&t, "no block of order 5");
	twin_free(&t, t.m.nr_live - 1, false);
	for (i = 1; i <= 2 * QUARRY_ASKED_CLAIMS; i++) {
		twin_claim(&t, WANT(0));
		area = last_area(&t);
		twin_free(&t, t.m.nr_live - 1, false);
		if (i <= QUARRY_ASKED_CLAIMS && area != 9)
			twin_fail(&t, "order 5 is forgotten after %u claims", i);
	}
	if (area)
		twin_fail(&t, "order 5 is not forgotten");
	twin_drain(&t);
	twin_fini(&t);
}

/*
 * Small arenas are in places by their addresses, in whatever order they come: 4 MiB in one,
 * but 8 or 16 MiB of a zone that will have more of them than there are places.
 */
static void neighbours(const void *arg)
{
	static const u32 together[][2] = {
		{ 0, 2 }, { 64, 2 }, { 128, 4 }, { 256, 8 }, { ~0u, 8 },
	};
	unsigned int i, j, k, place;
	struct twin t;

	(void)arg;
	for (j = 0; j < ARRAY_SIZE(together); j++) {
		twin_init(&t);
		t.b.expected = together[j][0];
		for (i = 0; i < MODEL_ARENAS; i++) {
			k = 400 + i * 5 % MODEL_ARENAS;
			twin_add(&t, i, k * 1024, 1024, false);
			place = k * 2 / together[j][1] % QUARRY_PLACES;
			if (t.arena[i].place != place)
				twin_fail(&t, "of %u areas arena %u is in place %u, not %u",
					  together[j][0], k, t.arena[i].place, place);
		}
		twin_fini(&t);
	}
}

/* What was not foretold goes by what there is: arenas of 16 MiB, the first half of 128. */
static void unforetold(const void *arg)
{
	unsigned int i, place;
	struct twin t;

	(void)arg;
	twin_init(&t);
	for (i = 0; i < MODEL_ARENAS; i++) {
		/* In the middle between two that are aligned, so that no two share a place. */
		twin_add(&t, i, i * 4096 + 2048, 4096, false);
		place = (i * 4096 + 2048) / (i < 8 ? 1024 : 2048) % QUARRY_PLACES;
		if (t.arena[i].place != place)
			twin_fail(&t, "arena %u is in place %u, not %u", i, t.arena[i].place,
				  place);
	}
	twin_fini(&t);
}

/* No place has more than twice 4 MiB more than another, wherever small arenas are. */
static void crowds(const void *arg)
{
	unsigned int i, c;
	struct twin t;

	(void)arg;
	twin_init(&t);
	for (i = 0; i < MODEL_ARENAS; i++)
		twin_add(&t, i, (u64)i * QUARRY_PLACES * 4096, 1024, false);
	for (c = 0; c < QUARRY_PLACES; c++)
		if (t.b.small_areas[c] > 4)
			twin_fail(&t, "%u areas in place %u", t.b.small_areas[c], c);
	twin_fini(&t);
}

/* Arenas are filled from the first place to the last, in whatever order they came. */
static void first_place(const void *arg)
{
	static const u64 order[] = { 3, 1, 4, 0, 5, 2, 7, 6 };
	unsigned int i;
	struct twin t;

	(void)arg;
	twin_init(&t);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		twin_add(&t, i, order[i] * 4096, 1024, false);
	t.policy = 1;
	for (i = 0; twin_claim(&t, WANT(8)); i++)
		if (order[t.m.live[i].arena] != i / 4)
			twin_fail(&t, "block %u came from place %llu", i,
				  order[t.m.live[i].arena]);
	twin_fini(&t);
}

/* Until nothing is left, at every order; then one frame is enough for one. */
static void exhaustion(const void *arg)
{
	unsigned int order;
	struct twin t;

	(void)arg;
	for (order = 0; order < 12; order++) {
		fresh(&t, 1000, 9000, true);
		while (twin_claim(&t, WANT(order)))
			;
		while (twin_claim(&t, WANT(0)))
			;
		if (t.b.nfree)
			twin_fail(&t, "free and not to be had");
		twin_full(&t);
		twin_free(&t, t.m.nr_live / 2, true);
		if (!twin_claim(&t, WANT(0)))
			twin_fail(&t, "free and not to be had");
		twin_drain(&t);
		twin_fini(&t);
	}
}

/* Runs that hold whole areas, and the ends of those beside them. */
static void whole_areas(const void *arg)
{
	static const u32 lengths[] = { 600, 1022, 1023, 1024, 1100, 1534, 1535, 1536, 1540 };
	static const u32 out[] = { 0, 1, 100, 510, 511 };
	const unsigned int n = ARRAY_SIZE(out), most = n * n * n;
	unsigned int i, j;
	struct twin t;

	(void)arg;
	for (i = 0; i < most; i += 3) {
		fresh(&t, i % 2 ? 0 : 777, 12 * 512, true);
		/* Between whole areas one, two and three that are broken. */
		twin_claim_at(&t, 0, 512 + out[i % n], 0, KIND);
		twin_claim_at(&t, 0, 3 * 512 + out[i / n % n], 0, KIND);
		twin_claim_at(&t, 0, 4 * 512 + out[i / n / n], 0, KIND);
		twin_claim_at(&t, 0, 7 * 512 + out[i % n], 0, KIND);
		twin_claim_at(&t, 0, 8 * 512 + 300, 0, KIND);
		twin_claim_at(&t, 0, 9 * 512 + out[i / n % n], 0, KIND);
		for (j = 0; j < 2 * ARRAY_SIZE(lengths); j++)
			runs(&t, lengths[j / 2], 1, j & 1);
		twin_drain(&t);
		twin_fini(&t);
	}
}

/* Runs at the place where a bite of the search ends. */
static void ends_of_bites(const void *arg)
{
	const unsigned int areas = 140;
	unsigned int at, i;
	struct twin t;

	(void)arg;
	for (at = 50; at < 130; at++) {
		fresh(&t, 0, areas * 512, false);
		for (i = 0; i < areas; i++)
			if (i != at)
				twin_claim_at(&t, 0, i * 512, 9, KIND);
		/* Two stretches, of 200 and 300 frames. */
		twin_claim_at(&t, 0, at * 512 + 200, 3, KIND);
		for (i = 150; i < 300; i += 31) {
			if (!twin_claim_run(&t, 0, 0, ~0u, i, 1, at & 1))
				twin_free(&t, t.m.nr_live - 1, false);
		}
		twin_drain(&t);
		twin_fini(&t);
	}
}

static void expect_sound(const struct quarry_buddy *b, u64 frames, u64 nfree, const char *what)
{
	struct quarry_check c = { 0 };

	quarry_buddy_check(b, &c);
	if (!c.violations && c.frames == frames && b->nr_frames == frames && b->nfree == nfree)
		return;
	printf("# %s: %s, %llu frames, %llu of %llu free, expected %llu of %llu\n", what,
	       c.what, c.frames, b->nfree, b->nr_frames, nfree, frames);
	fflush(stdout);
	abort();
}

/*
 * An arena that comes and goes in bites: what has joined is sound, and serves; and an arena
 * that somebody claims from while it leaves stays.
 */
static void bites(const void *arg)
{
	const u64 bite = QUARRY_BITE_AREAS * 512, first = 5 * bite - 700;
	const u32 nr = 3 * bite + 999;
	static u8 metadata[1 << 18];
	struct quarry_block block;
	struct quarry_arena a;
	struct quarry_buddy b;
	unsigned int left = 0;
	u64 joined = 700;

	(void)arg;
	if (quarry_arena_metadata_bytes(first, nr) > sizeof(metadata))
		abort();
	quarry_buddy_init(&b);
	quarry_arena_init(&a, metadata, first, nr);
	while (!quarry_buddy_join(&b, &a, true)) {
		expect_sound(&b, joined, joined, "joining");
		if (quarry_buddy_claim(&b, WANT(5), &block))
			abort();
		expect_sound(&b, joined, joined - 32, "claimed from while joining");
		quarry_buddy_free(&b, &a, block.frame, 5, true);
		joined += bite;
	}
	expect_sound(&b, nr, nr, "joined");
	if (!quarry_buddy_join(&b, &a, true) || b.nr_zero != nr || b.nr_empty != 1 ||
	    b.merges != b.splits)
		abort();
	while (quarry_buddy_leave(&b, &a) == -EAGAIN) {
		expect_sound(&b, b.nfree, b.nr_frames, "leaving");
		if (left++ != 1)
			continue;
		if (quarry_buddy_claim(&b, WANT(0), &block) ||
		    quarry_buddy_leave(&b, &a) != -EBUSY)
			abort();
		expect_sound(&b, b.nr_frames, b.nr_frames - 1, "could not leave");
		while (!quarry_buddy_join(&b, &a, false))
			;
		expect_sound(&b, nr, nr - 1, "stayed");
		quarry_buddy_free(&b, &a, block.frame, 0, false);
	}
	expect_sound(&b, 0, 0, "gone");
	if (left != 6 || a.buddy || b.nr_arenas || b.nr_areas || b.nr_empty || b.nr_zero ||
	    b.nr_whole)
		abort();
}

/*
 * Frames whose numbers are the last that there are. An arena of nearly 16 TiB has them:
 * here is the end of one, its beginning never looked at.
 */
static void last_numbers(const void *arg)
{
	static u8 metadata[1 << 20];
	const u32 nr = QUARRY_MAX_RUN - 1, before = (1u << 23) - 512;
	const u64 lo = (u64)before * 512;
	struct quarry_search s = { .nr = 33, .align = 1, .hi = { ~0u }, .steps = ~0u };
	struct quarry_frame f = { 0 };
	struct quarry_arena a;
	struct quarry_buddy b;
	unsigned int i;
	bool zero;

	(void)arg;
	if (quarry_arena_metadata_bytes(0, nr) > sizeof(metadata))
		abort();
	quarry_buddy_init(&b);
	quarry_arena_init(&a, metadata, lo, nr);
	quarry_buddy_add(&b, &a, false);
	a.areas -= before;
	a.groups -= before / 512;
	a.state -= lo;
	a.base -= lo;
	a.lo += lo;
	a.hi += lo;
	a.end += lo;
	a.nr_areas += before;
	a.nr_groups += before / 512;
	s.lo.i = a.lo;
	/* The last ones from the top, then every other of the last is out. */
	s.top_down = true;
	if (quarry_buddy_claim_run(&b, &a, &s, &f, &zero) || f.i != a.hi - 33)
		goto bad;
	quarry_buddy_free_run(&b, &a, f, 33, false);
	for (i = 1; i <= 2000; i += 2)
		if (quarry_buddy_claim_at(&b, &a, (struct quarry_frame){ a.hi - i }, 0, KIND,
					  &zero))
			goto bad;
	for (i = 0; i < 2; i++) {
		s = (struct quarry_search){ .nr = 33, .align = 1, .lo = { a.hi - 1999 },
					    .hi = { ~0u }, .steps = ~0u, .top_down = i };
		if (quarry_buddy_claim_run(&b, &a, &s, &f, &zero) != -ENOSPC)
			goto bad;
	}
	/* Of the two thousand frames the first is free, and what is before. */
	s.lo.i = a.lo;
	if (quarry_buddy_claim_run(&b, &a, &s, &f, &zero) || f.i != a.hi - 1999 - 33)
		goto bad;
	return;
bad:
	printf("# at %u of %u\n", f.i, a.hi);
	fflush(stdout);
	abort();
}

static u64 lowest_run(struct quarry_buddy *b, u32 nr, struct quarry_arena **a)
{
	struct quarry_search s = { .nr = nr, .align = 1, .steps = ~0u };
	struct quarry_block block;

	*a = NULL;
	if (quarry_buddy_claim_lowest(b, &s, &block))
		return ~0ull;
	*a = block.arena;
	return block.frame.i;
}

/* A run of many areas begins in an areagroup that has no whole one, and goes on in the next. */
static void long_over_border(const void *arg)
{
	static u8 metadata[1 << 20];
	const u32 border = 1u << 18;
	struct quarry_arena a, *got;
	struct quarry_search s;
	struct quarry_frame f;
	struct quarry_buddy b;
	bool zero;
	u32 i;

	(void)arg;
	quarry_buddy_init(&b);
	quarry_arena_init(&a, metadata, 0, 2 * border);
	quarry_buddy_add(&b, &a, false);
	/* All is out but for 300 frames before the border, and 2048 behind it. */
	for (i = 0; i < 2; i++)
		quarry_buddy_claim_at(&b, &a, (struct quarry_frame){ i * border }, 18, KIND,
				      &zero);
	quarry_buddy_trim(&b, &a, (struct quarry_frame){ 0 }, border, border - 300);
	quarry_buddy_free(&b, &a, (struct quarry_frame){ border }, 18, false);
	s = (struct quarry_search){ .nr = border - 2048, .align = 1, .lo = { border + 2048 },
				    .hi = { ~0u }, .steps = ~0u };
	if (quarry_buddy_claim_run(&b, &a, &s, &f, &zero) ||
	    lowest_run(&b, 2349, &got) != ~0ull || lowest_run(&b, 2348, &got) != border - 300)
		abort();
}

/* Runs over a border of two blocks of an order, the same bound of all around them, and places. */
static void bounds_at(unsigned int order)
{
	static u8 metadata[1 << 20], small[2][1 << 12];
	const u32 border = 1u << order, least = 33;
	struct quarry_arena a, two[2], *got;
	struct quarry_search s;
	struct quarry_frame f;
	struct quarry_buddy b;
	bool zero;
	u32 i;

	memset(metadata, 0, sizeof(metadata));
	memset(small, 0, sizeof(small));
	quarry_buddy_init(&b);
	if (quarry_arena_metadata_bytes(0, 2 * border) > sizeof(metadata) ||
	    quarry_arena_metadata_bytes(0, 1024) > sizeof(small[0]))
		abort();
	quarry_arena_init(&a, metadata, 0, 2 * border);
	quarry_buddy_add(&b, &a, false);
	/* All is out but for 40 frames around the border, and the last one. */
	for (i = 0; i < 2; i++)
		quarry_buddy_claim_at(&b, &a, (struct quarry_frame){ i * border }, order, KIND,
				      &zero);
	quarry_buddy_trim(&b, &a, (struct quarry_frame){ 0 }, border, border - 20);
	quarry_buddy_free(&b, &a, (struct quarry_frame){ border }, order, false);
	s = (struct quarry_search){ .nr = border - 21, .align = 1, .lo = { border + 20 },
				    .hi = { ~0u }, .steps = ~0u };
	if (quarry_buddy_claim_run(&b, &a, &s, &f, &zero))
		abort();
	if (lowest_run(&b, 41, &got) != ~0ull)
		abort();
	for (i = 0; i < 2; i++) {
		s = (struct quarry_search){ .nr = 40, .align = 1, .hi = { ~0u }, .steps = ~0u,
					    .top_down = i };
		if (quarry_buddy_claim_run(&b, &a, &s, &f, &zero) || f.i != border - 20)
			abort();
		quarry_buddy_free_run(&b, &a, f, 40, false);
	}
	if (lowest_run(&b, 40, &got) != border - 20)
		abort();
	/* What was searched for one frame more is there all the same. */
	quarry_buddy_trim(&b, &a, (struct quarry_frame){ border - 20 }, 40, 40 - least);
	for (i = 0; i < 3; i++) {
		s = (struct quarry_search){ .nr = least + 1, .align = 1, .hi = { ~0u },
					    .steps = ~0u };
		if (quarry_buddy_claim_run(&b, &a, &s, &f, &zero) != -ENOSPC)
			abort();
	}
	if (lowest_run(&b, least, &got) != border + 20 - least)
		abort();
	/* The first of two places. */
	quarry_buddy_init(&b);
	for (i = 0; i < 2; i++) {
		quarry_arena_init(&two[i], small[i], i * 1024, 1024);
		quarry_buddy_add(&b, &two[i], false);
	}
	if (two[0].place == two[1].place || lowest_run(&b, 3, &got) || got != &two[0])
		abort();
	quarry_buddy_free_run(&b, got, (struct quarry_frame){ 0 }, 3, false);
}

static void bounds(const void *arg)
{
	(void)arg;
	/* Of areagroups, and of the parts of one. */
	bounds_at(18);
	bounds_at(15);
}

static void refusals(const void *arg)
{
	unsigned int order;
	struct twin t;

	(void)arg;
	twin_init(&t);
	for (order = 0; order < 19; order++) {
		twin_claim(&t, WANT(order));
		twin_claim_many(&t, WANT(order), 8);
	}
	twin_full(&t);
	twin_add(&t, 0, 700, 1300, false);
	for (order = 0; order < 32; order++) {
		twin_claim_at(&t, 0, -1, order, KIND);
		twin_claim_at(&t, 0, 1300, order, KIND);
		twin_claim_at(&t, 0, 0x7fffffff, order, KIND);
		twin_claim_run(&t, 0, 0, ~0u, 1301, 1u << order, order & 1);
		twin_claim_run(&t, 0, 5, 4, 1, 1u << order, order & 1);
		twin_claim_run(&t, 0, 4000000000u, ~0u, 1, 1u << order, order & 1);
		twin_claim_run(&t, 0, 0, ~0u, 1, order * 3, order & 1);
	}
	twin_claim_run(&t, 0, 0, ~0u, 0, 1, false);
	twin_claim_run(&t, 0, 0, ~0u, ~0u, 1, false);
	twin_claim_run(&t, 0, 0, ~0u, (1u << 18) + 1, 1, true);
	for (order = 0; order < 2000; order++)
		twin_check_run(&t, 0, order, 1);
	twin_check_run(&t, 0, ~0u, 1);
	twin_claim_run(&t, 0, 0, ~0u, 300, 1, false);
	twin_check_run(&t, 0, 700 % 512, ~0u);
	twin_check_run(&t, 0, 700 % 512, 0);
	twin_trim(&t, 0, 0);
	twin_trim(&t, 0, 301);
	twin_trim(&t, 0, ~0u);
	twin_remove(&t, 0);
	twin_drain(&t);
	twin_remove(&t, 0);
	twin_full(&t);
	twin_fini(&t);
}

static void expect_index(const char *what, int is, int should)
{
	if (is == should)
		return;
	printf("# %s: %d, not %d\n", what, is, should);
	fflush(stdout);
	abort();
}

static void indices(const void *arg)
{
	u64 blocks[QUARRY_MAX_ORDER + 1] = {};

	(void)arg;
	expect_index("unusable, nothing free", quarry_unusable_milli(blocks, 0), 1000);
	expect_index("extfrag, nothing free", quarry_extfrag_milli(blocks, 3), 0);
	blocks[0] = 8;
	expect_index("unusable 0 of 8 x 1", quarry_unusable_milli(blocks, 0), 0);
	expect_index("unusable 1 of 8 x 1", quarry_unusable_milli(blocks, 1), 1000);
	/* 1000 - (1000 + 8 * 1000 / 8) / 8 */
	expect_index("extfrag 3 of 8 x 1", quarry_extfrag_milli(blocks, 3), 750);
	expect_index("extfrag 0 of 8 x 1", quarry_extfrag_milli(blocks, 0), -1000);
	blocks[3] = 1;
	expect_index("unusable 3 of 8 x 1 + 8", quarry_unusable_milli(blocks, 3), 500);
	expect_index("unusable 4 of 8 x 1 + 8", quarry_unusable_milli(blocks, 4), 1000);
	expect_index("extfrag 3 of 8 x 1 + 8", quarry_extfrag_milli(blocks, 3), -1000);
	/* 1000 - (1000 + 16 * 1000 / 16) / 9 */
	expect_index("extfrag 4 of 8 x 1 + 8", quarry_extfrag_milli(blocks, 4), 778);
	memset(blocks, 0, sizeof(blocks));
	blocks[0] = 1;
	/* Lack of memory: 1000 - (1000 + 1000 / 1024) / 1 */
	expect_index("extfrag 10 of 1", quarry_extfrag_milli(blocks, 10), 0);
	blocks[0] = 0;
	blocks[9] = 1;
	/* 1000 - (1000 + 512 * 1000 / 1024) / 1 is below 0: lack of memory, too. */
	expect_index("extfrag 10 of 512", quarry_extfrag_milli(blocks, 10), 0);
}

int main(void)
{
	tap_plan(24);
	tap_run("states_of_frames", states, frames);
	tap_run("states_of_areas", states, areas);
	tap_run("positions", positions, NULL);
	tap_run("alignments", alignments, NULL);
	tap_run("pairs", pairs, NULL);
	tap_run("batches", batches, NULL);
	tap_run("homes", homes_apart, NULL);
	tap_run("zeros", zeros, NULL);
	tap_run("lives", lives, NULL);
	tap_run("long_memory", long_memory, NULL);
	tap_run("asked", asked, NULL);
	tap_run("neighbours", neighbours, NULL);
	tap_run("unforetold", unforetold, NULL);
	tap_run("crowds", crowds, NULL);
	tap_run("first_place", first_place, NULL);
	tap_run("exhaustion", exhaustion, NULL);
	tap_run("whole_areas", whole_areas, NULL);
	tap_run("ends_of_bites", ends_of_bites, NULL);
	tap_run("bites", bites, NULL);
	tap_run("last_numbers", last_numbers, NULL);
	tap_run("bounds", bounds, NULL);
	tap_run("long_over_border", long_over_border, NULL);
	tap_run("refusals", refusals, NULL);
	tap_run("indices", indices, NULL);
	return tap_end();
}
