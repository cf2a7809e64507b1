#include <stdio.h>
#include <stdlib.h>

#include "count.h"

static int more(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return (x->seen < y->seen) - (x->seen > y->seen);
}

int main(void)
{
	struct table t = { 0 };
	count(stdin, &t);
	qsort(t.entries, t.room, sizeof *t.entries, more);
	puts("words, most frequent first");
	for (size_t i = 0; i < t.room && t.entries[i].word; i++)
		printf("%8lu %s\n", t.entries[i].seen, t.entries[i].word);
	table_free(&t);
	return 0;
}
