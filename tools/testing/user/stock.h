/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPUs, their depot and their slabs beside a model, and random operations on them.
 * See stock.c.
 */
#ifndef STOCK_H
#define STOCK_H

#include "dice.h"

struct stock;

/**
 * struct stock_kind - what a stock is made of
 * @size:	bytes of an object, @lead included
 * @align:	of its address
 * @lead:	bytes of each stride before the object
 */
struct stock_kind {
	u32 size;
	u32 align;
	u32 lead;
};

struct stock *stock_new(const struct stock_kind *kind, u64 seed);
void stock_step(struct stock *t, struct dice *d);
void stock_check(struct stock *t);
void stock_end(struct stock *t);

#endif
