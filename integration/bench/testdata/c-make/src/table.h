#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

/* An open-addressing table from words to how often they were seen. */
struct table {
	struct entry {
		char *word;
		unsigned long seen;
	} *entries;
	size_t used, room;
};

unsigned long *table_at(struct table *t, const char *word);
void table_free(struct table *t);

#endif
