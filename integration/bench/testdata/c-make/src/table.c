#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *s)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h;
}

static struct entry *slot(struct table *t, const char *word)
{
	size_t i = hash(word) & (t->room - 1);
	while (t->entries[i].word && strcmp(t->entries[i].word, word))
		i = (i + 1) & (t->room - 1);
	return &t->entries[i];
}

static void grow(struct table *t)
{
	struct table bigger = { .room = t->room ? 2 * t->room : 64, .used = t->used };
	bigger.entries = calloc(bigger.room, sizeof *bigger.entries);
	if (!bigger.entries)
		abort();
	for (size_t i = 0; i < t->room; i++)
		if (t->entries[i].word)
			*slot(&bigger, t->entries[i].word) = t->entries[i];
	free(t->entries);
	*t = bigger;
}

unsigned long *table_at(struct table *t, const char *word)
{
	if (2 * (t->used + 1) > t->room)
		grow(t);
	struct entry *e = slot(t, word);
	if (!e->word) {
		e->word = strdup(word);
		t->used++;
	}
	return &e->seen;
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->room; i++)
		free(t->entries[i].word);
	free(t->entries);
}
