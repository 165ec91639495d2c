// SPDX-License-Identifier: GPL-2.0
/*
 * Steps of a claim, from 4 MiB to 1 TiB.
 *
 * The core is compiled with -fsanitize-coverage=trace-pc, so that each basic
 * block it runs calls __sanitizer_cov_trace_pc() below, which counts. That is a
 * measure that repeats to the digit: no clock, no cache, no other process.
 *
 * A pool is as many arenas of 4 MiB as it takes, which is what the kernel gives.
 * It is measured fresh, and fragmented: random blocks out in every area, of which
 * a share of the areas is full and a share untouched. Then random claims and
 * frees of orders 0 to 10 are counted. What must hold: neither the mean nor the
 * maximum grows with the pool.
 *
 * Runs of 1 to 100 frames are claimed and freed at random in the same pools, in one go each.
 *
 * Zeros are measured as well: pools of which half is zero, and batches of claims that find hard
 * what they want, or hard to leave what they do not want.
 *
 * What is done in bites is measured by the bite: the search for a run that is not to be had,
 * in ranges of several patterns, where nobody knows and where somebody has searched before,
 * and a range that comes and goes. Between two bites the
 * caller lets go of his lock, so the longest bite is how long interrupts are off. Its time
 * is printed too, traced as it is, and judges nothing.
 *
 * The metadata of the same pools is weighed here as well.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../../module/buddy/buddy.h"
#include "dice.h"
#include "tap.h"

#define ARENA_FRAMES	1024u
#define ORDERS		11
#define HELD		256
/* Of the longest search for a run in one go, which chance meets sooner or later. */
#define RUN_MOST	20000ull
#define FRAME_BYTES	4096ull
#define RANGES		16
#define BATCH		12	/* blocks that a list asks for at once */
#define BATCH_MOST	4096	/* basic blocks that it may take: a quarter of the longest bite */

static u64 steps;

/* Called by compiled code alone. */
void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

struct figure {
	u64 sum;
	u64 nr;
	u64 most;
};

struct pool {
	struct quarry_buddy b;
	struct quarry_arena *arenas;
	u8 *metadata;
	u64 nr;
};

static void count(struct figure *f, u64 since)
{
	u64 n = steps - since;

	f->sum += n;
	f->nr++;
	f->most = n > f->most ? n : f->most;
}

static double mean(const struct figure *f)
{
	return f->nr ? (double)f->sum / f->nr : 0;
}

/* Zeros in every second arena. */
static bool pool_init(struct pool *p, u64 mib, bool zeros)
{
	size_t bytes = quarry_arena_metadata_bytes(0, ARENA_FRAMES);
	u64 i;

	p->nr = mib / 4;
	p->arenas = calloc(p->nr, sizeof(*p->arenas));
	p->metadata = calloc(p->nr, bytes);
	if (!p->arenas || !p->metadata)
		return false;
	quarry_buddy_init(&p->b);
	for (i = 0; i < p->nr; i++) {
		quarry_arena_init(&p->arenas[i], p->metadata + i * bytes,
				  i * ARENA_FRAMES, ARENA_FRAMES);
		quarry_buddy_add(&p->b, &p->arenas[i], zeros && i % 2);
	}
	return true;
}

static void pool_fini(struct pool *p)
{
	free(p->arenas);
	free(p->metadata);
}

/* Blocks out in most areas, some areas full and some whole. */
static void fragment(struct pool *p, struct dice *d)
{
	unsigned int half, i, nr, order;
	bool zero;
	u64 a;

	for (a = 0; a < p->nr; a++)
		for (half = 0; half < 2; half++) {
			/* The first arena has one of each, so the smallest pool has. */
			u64 what = a ? dice(d, 64) : 1 + half;

			if (!what)
				continue;
			if (what == 1 && a) {
				quarry_buddy_claim_at(&p->b, &p->arenas[a],
						      (struct quarry_frame){ half * 512 },
						      9, QUARRY_STATE_ALLOC, &zero);
				continue;
			}
			/*
			 * In many one block alone is free, of any order: areas that are
			 * claimed from first. Else only large pools would have enough of
			 * them, and what a free costs would follow what areas there are.
			 */
			if (a && what < 24) {
				for (order = dice(d, 9); order < 9; order++) {
					u32 f = half * 512 + (1u << order);

					quarry_buddy_claim_at(&p->b, &p->arenas[a],
							      (struct quarry_frame){ f }, order,
							      QUARRY_STATE_ALLOC, &zero);
				}
				continue;
			}
			nr = 1 + dice(d, 12);
			for (i = 0; i < nr; i++) {
				u32 f;

				order = dice(d, 8);
				f = half * 512 + (dice(d, 512) >> order << order);
				quarry_buddy_claim_at(&p->b, &p->arenas[a],
						      (struct quarry_frame){ f }, order,
						      QUARRY_STATE_ALLOC, &zero);
			}
		}
}

/*
 * Claims and frees of all orders; refusals are quick and do not count. With @zeros every other
 * claim wants zeros, and one free in four has some.
 */
static void measure(struct pool *p, struct dice *d, u64 rounds, bool zeros,
		    struct figure *claim, struct figure *release)
{
	struct quarry_want want = { .kind = QUARRY_STATE_ALLOC };
	struct quarry_block held[HELD];
	unsigned int order[HELD];
	unsigned int nr = 0, i;
	u64 since;

	while (rounds--) {
		if (nr < HELD && dice(d, 2)) {
			order[nr] = dice(d, ORDERS);
			since = steps;
			want.order = order[nr];
			want.zero = zeros && rounds & 1;
			if (quarry_buddy_claim(&p->b, &want, &held[nr]))
				continue;
			count(&claim[order[nr]], since);
			nr++;
		} else if (nr) {
			i = dice(d, nr--);
			since = steps;
			quarry_buddy_free(&p->b, held[i].arena, held[i].frame, order[i],
					  zeros && rounds % 4 == 1);
			count(&release[order[i]], since);
			held[i] = held[nr];
			order[i] = order[nr];
		}
	}
	while (nr--)
		quarry_buddy_free(&p->b, held[nr].arena, held[nr].frame, order[nr], false);
}

/* The same of runs, whose lengths are drawn. */
static void measure_runs(struct pool *p, struct dice *d, u64 rounds, struct figure *claim,
			 struct figure *release)
{
	const struct quarry_want want = { .kind = QUARRY_STATE_RUN };
	struct quarry_block held[HELD];
	unsigned int nr = 0, i;
	u32 length[HELD];
	u64 since;

	while (rounds--) {
		if (nr < HELD && dice(d, 2)) {
			length[nr] = 1 + dice(d, 100);
			since = steps;
			if (quarry_buddy_claim_anywhere(&p->b, &want, length[nr], 1, &held[nr]))
				continue;
			count(claim, since);
			nr++;
		} else if (nr) {
			i = dice(d, nr--);
			since = steps;
			quarry_buddy_free_run(&p->b, held[i].arena, held[i].frame, length[i],
					      false);
			count(release, since);
			held[i] = held[nr];
			length[i] = length[nr];
		}
	}
	while (nr--)
		quarry_buddy_free_run(&p->b, held[nr].arena, held[nr].frame, length[nr], false);
}

/* Of all orders, each with the same weight, whatever the pool could serve. */
static struct figure over_orders(const struct figure *f, double *average)
{
	struct figure all = {};
	double sum = 0;
	unsigned int k, nr = 0;

	for (k = 0; k < ORDERS; k++) {
		all.sum += f[k].sum;
		all.nr += f[k].nr;
		all.most = f[k].most > all.most ? f[k].most : all.most;
		sum += mean(&f[k]);
		nr += !!f[k].nr;
	}
	*average = nr ? sum / nr : 0;
	return all;
}

static void fail(const char *what)
{
	printf("# %s\n", what);
	fflush(stdout);
	abort();
}

enum how { FRESH, FRAGMENTED, ZEROS };

static void claims(const void *arg)
{
	const enum how how = (uintptr_t)arg;
	u64 most_mib = env_number("SCALE_MIB", 1 << 20), mib;
	u64 rounds = env_number("STEPS", 400000);
	double claim_mean = 0, free_mean = 0, mean_of_claim, mean_of_free;
	u64 claim_most = 0, free_most = 0;

	printf("# %10s %9s | %8s %8s | %8s %8s\n", "MiB", "arenas", "claim", "most",
	       "free", "most");
	/* 4, 32, 256 MiB, 2, 16, 128 GiB, 1 TiB */
	for (mib = 4; mib <= most_mib; mib *= 8) {
		struct figure claim[ORDERS] = {}, release[ORDERS] = {}, c, r;
		struct pool p;
		struct dice d;

		if (!pool_init(&p, mib, how == ZEROS))
			fail("no memory: set SCALE_MIB");
		dice_seed(&d, 1);
		if (how != FRESH)
			fragment(&p, &d);
		measure(&p, &d, rounds, how == ZEROS, claim, release);
		c = over_orders(claim, &mean_of_claim);
		r = over_orders(release, &mean_of_free);
		printf("# %10llu %9llu | %8.2f %8llu | %8.2f %8llu\n", mib, p.nr,
		       mean_of_claim, c.most, mean_of_free, r.most);
		fflush(stdout);
		/*
		 * Pools up to 2 GiB set the measure, larger ones are held to it. A maximum
		 * is of a sample, as the mean is: what grows with memory grows 19 times here.
		 */
		if (mib <= 2048) {
			claim_mean = max(claim_mean, mean_of_claim);
			free_mean = max(free_mean, mean_of_free);
			claim_most = max(claim_most, c.most);
			free_most = max(free_most, r.most);
		} else if (mean_of_claim > 1.05 * claim_mean ||
			   mean_of_free > 1.05 * free_mean) {
			fail("the mean grows");
		} else if (c.most > 1.05 * claim_most || r.most > 1.05 * free_most) {
			fail("the maximum grows");
		}
		pool_fini(&p);
	}
}

/* In pools that are fragmented, so that there is something to search for. */
static void runs(const void *arg)
{
	u64 most_mib = env_number("SCALE_MIB", 1 << 20), mib;
	u64 rounds = env_number("STEPS", 400000);
	double claim_mean = 0, free_mean = 0;
	u64 claim_most = 0, free_most = 0;

	(void)arg;
	printf("# %10s %9s | %8s %8s | %8s %8s\n", "MiB", "arenas", "claim", "most",
	       "free", "most");
	for (mib = 4; mib <= most_mib; mib *= 8) {
		struct figure c = {}, r = {};
		struct pool p;
		struct dice d;

		if (!pool_init(&p, mib, false))
			fail("no memory: set SCALE_MIB");
		dice_seed(&d, 1);
		fragment(&p, &d);
		measure_runs(&p, &d, rounds, &c, &r);
		printf("# %10llu %9llu | %8.2f %8llu | %8.2f %8llu\n", mib, p.nr, mean(&c),
		       c.most, mean(&r), r.most);
		fflush(stdout);
		if (mib <= 2048) {
			claim_mean = max(claim_mean, mean(&c));
			free_mean = max(free_mean, mean(&r));
			claim_most = max(claim_most, c.most);
			free_most = max(free_most, r.most);
		} else if (mean(&c) > 1.05 * claim_mean || mean(&r) > 1.05 * free_mean) {
			fail("the mean grows");
		} else if (c.most > max(claim_most, RUN_MOST) || r.most > 1.05 * free_most) {
			fail("the maximum grows");
		}
		pool_fini(&p);
	}
}

/*
 * A batch of the lists, in ranges of 1 GiB where zeros are hard to find or to leave: all are
 * zero, none is, or every 8th, 64th or 512th area. Half of the areas is out, in runs of some
 * length.
 */
static void batch(unsigned int order, unsigned int areas, unsigned int zeros, bool zero)
{
	struct quarry_want want = { .order = order, .kind = QUARRY_STATE_ALLOC, .zero = zero };
	struct quarry_block blocks[BATCH];
	struct figure f = {};
	struct quarry_buddy b;
	unsigned int i, k, got;
	u64 since;
	bool was;

	quarry_buddy_init(&b);
	for (i = 0; i < RANGES; i++) {
		struct quarry_arena *a = calloc(1, sizeof(*a));
		void *metadata = calloc(1, quarry_arena_metadata_bytes(0, 1 << 18));

		if (!a || !metadata)
			fail("no memory");
		quarry_arena_init(a, metadata, (u64)i << 18, 1 << 18);
		quarry_buddy_add(&b, a, false);
		for (k = 0; k < 512; k++)
			quarry_buddy_claim_at(&b, a, (struct quarry_frame){ k * 512 }, 9,
					      QUARRY_STATE_ALLOC, &was);
		for (k = 0; k < 512; k++)
			if (k / areas % 2)
				quarry_buddy_free(&b, a, (struct quarry_frame){ k * 512 }, 9,
						  zeros ? k % zeros == zeros - 1 : false);
	}
	for (got = 0; got < BATCH; got += i) {
		since = steps;
		i = quarry_buddy_claim_many(&b, &want, BATCH - got, blocks);
		count(&f, since);
		if (!i)
			fail("free and not to be had");
	}
	printf("# order %2u of %3u areas, every %uth zero, %4s: %5llu, at most %5llu\n", order,
	       areas, zeros, zero ? "want" : "not", f.sum, f.most);
	if (f.most > BATCH_MOST)
		fail("too long with interrupts off");
	while (!list_empty(&b.arenas)) {
		struct quarry_arena *a = list_first_entry(&b.arenas, struct quarry_arena, link);

		list_del(&a->link);
		free(a->areas);
		free(a);
	}
}

static void batches(const void *arg)
{
	static const unsigned int orders[] = { 5, 8, 9, 10, 12 };
	unsigned int i, areas, zeros;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(orders); i++)
		for (areas = 1; areas <= 256; areas *= 2)
			for (zeros = 0; zeros <= 512; zeros = zeros ? zeros * 8 : 1) {
				if (orders[i] > 9 && areas < 1u << (orders[i] - 9))
					continue;
				batch(orders[i], areas, zeros, false);
				batch(orders[i], areas, zeros, true);
			}
}

/* A range of which every area, or every other one, looks the same. */
struct picture {
	const char *name;
	u32 free;	/* frames in a row */
	u32 out;	/* and so many after them */
	bool islands;	/* areas that are whole between others */
	u32 nr;		/* the run that is not there */
	u32 align;
};

static const struct picture pictures[] = {
	{ "all out", 0, 512, false, 1, 1 },
	{ "holes of one frame", 1, 1, false, 33, 1 },
	{ "holes of 31", 31, 1, false, 32, 1 },
	{ "holes of 100", 100, 28, false, 101, 1 },
	{ "holes, aligned", 63, 1, false, 64, 64 },
	{ "half areas", 256, 256, false, 257, 1 },
	{ "every other area", 0, 512, true, 513, 1 },
	{ "areas and holes", 31, 1, true, 1100, 1 },
	{ "areas, aligned", 31, 1, true, 512, 1024 },
};

static struct quarry_bitfield bitfield_of(const struct picture *p)
{
	u64 blocks[QUARRY_BITFIELD_ORDER + 1] = {};
	struct quarry_bitfield l = {};
	unsigned int i;

	for (i = 0; i < QUARRY_BITFIELD_UNITS; i++)
		if (i % (p->free + p->out) < p->free)
			quarry_bitfield_put(&l, blocks, i, 0);
	return l;
}

/* A picture, not a pool: nothing can be claimed from it. */
static void paint(struct quarry_buddy *b, struct quarry_arena *a, const struct picture *p)
{
	struct quarry_bitfield line = bitfield_of(p);
	unsigned int k;
	u32 i;

	memset(b->blocks, 0, sizeof(b->blocks));
	for (i = 0; i < a->nr_groups; i++)
		memset(&a->groups[i].bits, 0, sizeof(line));
	quarry_runs_come(b, a, 0);
	a->nfree = 0;
	for (i = 0; i < a->nr_areas; i++) {
		struct quarry_bitfield *l = &a->areas[i].bits;

		a->areas[i].most = QUARRY_AREA_FRAMES;
		memset(l, 0, sizeof(*l));
		if (p->islands && i % 2)
			quarry_bitfield_put(&quarry_areagroup_of(&a->areas[i])->bits,
					    b->blocks + QUARRY_AREA_ORDER, i % 512, 0);
		if (p->islands && i % 2) {
			memset(l->free, 0xff, sizeof(l->free));
			l->nr[QUARRY_BITFIELD_ORDER] = 1;
			l->orders = 1u << QUARRY_BITFIELD_ORDER;
			l->nfree = QUARRY_BITFIELD_UNITS;
		} else {
			*l = line;
		}
		for (k = 0; k < QUARRY_AREA_ORDER; k++)
			b->blocks[k] += l->nr[k];
		a->nfree += l->nfree;
	}
	b->nfree = a->nfree;
}

static u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

struct range {
	struct quarry_buddy b;
	struct quarry_arena a;
	void *metadata;
	u64 most_ns;
	u64 ns;
};

static void range_init(struct range *r, u64 mib)
{
	u32 frames = mib * 256;

	r->metadata = calloc(1, quarry_arena_metadata_bytes(0, frames));
	if (!r->metadata)
		fail("no memory: set SCALE_MIB");
	quarry_buddy_init(&r->b);
	quarry_arena_init(&r->a, r->metadata, 0, frames);
	r->most_ns = 0;
	r->ns = 0;
}

static void bite_done(struct range *r, struct figure *f, u64 since, u64 time)
{
	u64 ns = now() - time;

	count(f, since);
	r->ns += ns;
	r->most_ns = ns > r->most_ns ? ns : r->most_ns;
}

/* Whoever comes second takes so many times fewer bites. */
#define KNOWN	16

static void search(struct range *r, const struct picture *p, bool top_down,
		   struct figure *f)
{
	struct quarry_search s = {
		.nr = p->nr, .align = p->align, .top_down = top_down, .hi = { ~0u },
	};
	struct quarry_frame at;
	u64 since, time;
	bool zero;
	int err;

	do {
		s.steps = QUARRY_BITE_STEPS;
		since = steps;
		time = now();
		err = quarry_buddy_claim_run(&r->b, &r->a, &s, &at, &zero);
		bite_done(r, f, since, time);
	} while (err == -EAGAIN);
	if (err != -ENOSPC)
		fail("there is such a run");
}

/*
 * Pools up to 2 GiB set the measure, larger ones are held to it; but for a fiftieth, for it
 * is a matter of chance where a bite ends.
 */
static void hold(u64 mib, u64 *most, const struct figure *f)
{
	if (mib <= 2048)
		*most = f->most > *most ? f->most : *most;
	else if (f->most > *most + *most / 50)
		fail("the longest bite grows");
}

static void searches(const void *arg)
{
	u64 most_mib = env_number("SCALE_MIB", 1 << 20), mib, most = 0;
	struct range r;
	unsigned int i;

	(void)arg;
	printf("# %10s %-20s | %8s %8s %10s | %8s %8s | %8s\n", "MiB", "", "bites", "most",
	       "all", "us, mean", "most", "again");
	for (mib = 32; mib <= most_mib; mib *= 8) {
		range_init(&r, mib);
		quarry_buddy_add(&r.b, &r.a, false);
		for (i = 0; i < ARRAY_SIZE(pictures); i++) {
			struct figure f = {}, again = {};

			r.most_ns = 0;
			r.ns = 0;
			paint(&r.b, &r.a, &pictures[i]);
			search(&r, &pictures[i], false, &f);
			search(&r, &pictures[i], false, &again);
			paint(&r.b, &r.a, &pictures[i]);
			search(&r, &pictures[i], true, &f);
			search(&r, &pictures[i], true, &again);
			printf("# %10llu %-20s | %8llu %8llu %10llu | %8.1f %8.1f | %8llu\n",
			       mib, pictures[i].name, f.nr, f.most, f.sum,
			       r.ns / 1000.0 / (f.nr + again.nr), r.most_ns / 1000.0,
			       again.nr);
			fflush(stdout);
			hold(mib, &most, &f);
			hold(mib, &most, &again);
			if (!pictures[i].islands && again.nr > 2 + f.nr / KNOWN)
				fail("a search forgets what it saw");
		}
		free(r.metadata);
	}
}

static void comings(const void *arg)
{
	u64 most_mib = env_number("SCALE_MIB", 1 << 20), mib, most = 0, since, time;
	struct range r;
	bool done;
	int err;

	(void)arg;
	printf("# %10s | %8s %8s %10s | %8s %8s\n", "MiB", "bites", "most", "all",
	       "us, mean", "most");
	for (mib = 32; mib <= most_mib; mib *= 8) {
		struct figure f = {};

		range_init(&r, mib);
		do {
			since = steps;
			time = now();
			done = quarry_buddy_join(&r.b, &r.a, true);
			bite_done(&r, &f, since, time);
		} while (!done);
		do {
			since = steps;
			time = now();
			err = quarry_buddy_leave(&r.b, &r.a);
			bite_done(&r, &f, since, time);
		} while (err == -EAGAIN);
		if (err)
			fail("a range does not leave");
		printf("# %10llu | %8llu %8llu %10llu | %8.1f %8.1f\n", mib, f.nr, f.most,
		       f.sum, r.ns / 1000.0 / f.nr, r.most_ns / 1000.0);
		fflush(stdout);
		hold(mib, &most, &f);
		free(r.metadata);
	}
}

static void metadata(const void *arg)
{
	static const struct { const char *what; u32 frames; bool must; } as[] = {
		{ "1 MiB", 256, false },
		{ "2 MiB", 512, true },
		{ "4 MiB", 1024, true },
		{ "1 GiB", 262144, true },
		{ "64 GiB", 16777216, true },
	};
	unsigned int i;

	(void)arg;
	printf("# allocator %zu bytes, once; areagroup %zu, area %zu, arena %zu\n",
	       sizeof(struct quarry_buddy), sizeof(struct quarry_areagroup),
	       sizeof(struct quarry_area), sizeof(struct quarry_arena));
	for (i = 0; i < ARRAY_SIZE(as); i++) {
		size_t bytes = quarry_arena_metadata_bytes(0, as[i].frames) +
			       sizeof(struct quarry_arena);
		double share = 100.0 * bytes / (as[i].frames * FRAME_BYTES);

		printf("# arenas of %-7s %12zu bytes each, %.4f%% of the memory\n",
		       as[i].what, bytes, share);
		if (as[i].must && share > 0.05)
			fail("more than 0.05%");
	}
}

int main(void)
{
	tap_plan(8);
	tap_run("steps_fresh", claims, (void *)FRESH);
	tap_run("steps_fragmented", claims, (void *)FRAGMENTED);
	tap_run("steps_of_runs", runs, NULL);
	tap_run("steps_with_zeros", claims, (void *)ZEROS);
	tap_run("batches_with_zeros", batches, NULL);
	tap_run("bites_of_searches", searches, NULL);
	tap_run("bites_of_ranges", comings, NULL);
	tap_run("metadata", metadata, NULL);
	return tap_end();
}
