/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

/* Header fields a request can have at all; the configured bound is at most this. */
#define HARK_REQUEST_MAX_FIELDS 128

/**
 * HarkRefusal:
 * @status: of HTTP, where it is finer than what the error table says of @code
 * @message: names the field
 * @header: (nullable): header lines of the response, each with its CRLF
 *
 * Why a request is not answered as its sender wished. Always static: refusing costs no memory.
 */
typedef struct
{
  guint status;
  HarkError code;
  const char *message;
  const char *header;
} HarkRefusal;

typedef struct
{
  const char *name;
  const char *value;
} HarkRequestField;

/**
 * HarkRequestHead:
 * @minor: of the version, HTTP/1.@minor
 * @path: before any `?`, percent-encoding untouched
 * @query: (nullable): behind it
 *
 * The head of a request, as slices of the bytes it was read from: valid as long as those.
 */
typedef struct
{
  const char *method;
  const char *path;
  const char *query;
  guint minor;
  guint n_fields;
  HarkRequestField fields[HARK_REQUEST_MAX_FIELDS];
} HarkRequestHead;

gsize hark_request_head_find_end (const char *data, gsize len, gsize *scanned);
const HarkRefusal *hark_request_head_parse (HarkRequestHead *self, char *data, gsize len, guint max_fields);
const char *hark_request_head_get (const HarkRequestHead *self, const char *name, guint *count);
gboolean hark_request_head_has_token (const HarkRequestHead *self, const char *name, const char *token);
char *hark_request_head_join (const HarkRequestHead *self, const char *name, gsize max_len);
gboolean hark_request_is_token (const char *text, gsize len);

/* Goes through a comma-separated list: *@rest is moved on, @len is that of the item returned, %NULL at the end. */
const char *hark_request_list_next (const char **rest, gsize *len);

G_END_DECLS
