#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/copy_own.h"

static uint64_t hash_of(uint32_t bucket, struct fw_str key)
{
	return XXH64(key.p, key.n, bucket);
}

struct fw_copy_key *fw_copy_keys_find(const struct fw_copy_keys *keys, uint32_t bucket, struct fw_str key)
{
	uint64_t hash = hash_of(bucket, key);
	struct fw_copy_key *k = keys->size ? keys->heads[hash & (keys->size - 1)] : NULL;
	while (k && !(k->hash == hash && k->bucket == bucket && k->n == key.n && memcmp(k->bytes, key.p, key.n) == 0))
		k = k->next;
	return k;
}

static int grow(struct fw_copy_keys *keys)
{
	size_t size = keys->size ? keys->size * 2 : 1024;
	struct fw_copy_key **heads = calloc(size, sizeof *heads);
	if (!heads)
		return FW_ENOMEM;
	for (size_t i = 0; i < keys->size; i++)
		for (struct fw_copy_key *k = keys->heads[i], *next; k; k = next) {
			next = k->next;
			k->next = heads[k->hash & (size - 1)];
			heads[k->hash & (size - 1)] = k;
		}
	free(keys->heads);
	keys->heads = heads;
	keys->size = size;
	return 0;
}

struct fw_copy_key *fw_copy_keys_add(struct fw_copy_keys *keys, uint32_t bucket, struct fw_str key)
{
	if (keys->n >= keys->size && grow(keys) < 0)
		return NULL;
	struct fw_copy_key *k = malloc(sizeof *k + key.n);
	if (!k)
		return NULL;
	*k = (struct fw_copy_key){ .hash = hash_of(bucket, key), .bucket = bucket, .n = (uint32_t)key.n };
	memcpy(k->bytes, key.p, key.n);
	struct fw_copy_key **head = &keys->heads[k->hash & (keys->size - 1)];
	k->next = *head;
	*head = k;
	keys->n++;
	return k;
}

void fw_copy_keys_remove(struct fw_copy_keys *keys, struct fw_copy_key *key)
{
	struct fw_copy_key **p = &keys->heads[key->hash & (keys->size - 1)];
	while (*p != key)
		p = &(*p)->next;
	*p = key->next;
	keys->n--;
	keys->suspects -= key->suspect;
}

uint64_t fw_copy_keys_clear_suspects(struct fw_copy_keys *keys)
{
	uint64_t n = keys->suspects;
	for (size_t i = 0; i < keys->size && keys->suspects > 0; i++)
		for (struct fw_copy_key *k = keys->heads[i], *next; k; k = next) {
			next = k->next;
			if (!k->suspect)
				continue;
			fw_copy_keys_remove(keys, k);
			free(k);
		}
	return n;
}

void fw_copy_keys_finish(struct fw_copy_keys *keys)
{
	for (size_t i = 0; i < keys->size; i++)
		for (struct fw_copy_key *k = keys->heads[i], *next; k; k = next) {
			next = k->next;
			free(k);
		}
	free(keys->heads);
	*keys = (struct fw_copy_keys){ 0 };
}
