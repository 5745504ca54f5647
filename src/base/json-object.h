/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-reader.h"

G_BEGIN_DECLS

/* How many members a message may have: ten times what any message of Hark's has. */
#define HARK_JSON_MAX_MEMBERS 64

/* One member of an object. */
typedef struct
{
  HarkJsonSlice name;    /* between its quotes, escapes as they were sent */
  HarkJsonSlice raw;     /* the value's bytes, a string's quotes included */
  guint64 hash;          /* of the decoded name */
  gint64 integer;        /* when @token is INTEGER */
  HarkJsonToken token;   /* the one that the value begins with: its kind */
  gboolean name_escaped; /* @name holds an escape */
} HarkJsonValue;

/**
 * HarkJsonObject:
 *
 * The members of one JSON object, found in one pass and without allocating; what is inside them was checked, and is
 * left where it is. This is how every message is read. Lives on the stack; points into the text, which must outlive it.
 * No two members have the same name: readers do not agree which of the two would count.
 */
typedef struct
{
  guint n_members;
  gsize len;                                    /* bytes of the whole text */
  HarkJsonValue members[HARK_JSON_MAX_MEMBERS]; /* in the text's order */
} HarkJsonObject;

/* Whether a request needs the field. An optional field may be absent or null, and then @out is not touched. */
typedef enum
{
  HARK_FIELD_REQUIRED,
  HARK_FIELD_OPTIONAL
} HarkFieldNeed;

gboolean hark_json_object_parse (HarkJsonObject *self, const char *data, gsize len, GError **error);

static inline guint
hark_json_object_get_n_members (const HarkJsonObject *self)
{
  return self->n_members;
}

static inline const HarkJsonValue *
hark_json_object_get_nth (const HarkJsonObject *self, guint i)
{
  return &self->members[i];
}

const HarkJsonValue *hark_json_object_get (const HarkJsonObject *self, const char *name);

gboolean hark_json_object_get_text (const HarkJsonObject *self, const char *name, HarkFieldNeed need,
                                    HarkJsonSlice *out, GError **error);
gboolean hark_json_object_get_string (const HarkJsonObject *self, const char *name, HarkFieldNeed need, gsize max_bytes,
                                      char **out, GError **error);
gboolean hark_json_object_get_int (const HarkJsonObject *self, const char *name, HarkFieldNeed need, gint64 min,
                                   gint64 max, gint64 *out, GError **error);
gboolean hark_json_object_get_boolean (const HarkJsonObject *self, const char *name, HarkFieldNeed need, gboolean *out,
                                       GError **error);
gboolean hark_json_object_get_id (const HarkJsonObject *self, const char *name, HarkFieldNeed need, gint64 *out,
                                  GError **error);
gboolean hark_json_object_get_ids (const HarkJsonObject *self, const char *name, HarkFieldNeed need, guint max,
                                   GArray *out, GError **error);
gboolean hark_json_object_get_raw (const HarkJsonObject *self, const char *name, HarkFieldNeed need, HarkJsonSlice *out,
                                   GError **error);
gboolean hark_json_object_get_raw_object (const HarkJsonObject *self, const char *name, HarkFieldNeed need,
                                          HarkJsonSlice *out, GError **error);
gboolean hark_json_object_get_raw_array (const HarkJsonObject *self, const char *name, HarkFieldNeed need,
                                         HarkJsonSlice *out, GError **error);

gboolean hark_json_value_parse_id (HarkJsonToken token, HarkJsonSlice text, gint64 *out);
char *hark_json_value_copy_raw (const HarkJsonValue *self, gsize *len);

/* What stands between the quotes of a value whose token is STRING. */
static inline HarkJsonSlice
hark_json_value_get_text (const HarkJsonValue *self)
{
  HarkJsonSlice text = { self->raw.data + 1, self->raw.len - 2 };
  return text;
}

G_END_DECLS
