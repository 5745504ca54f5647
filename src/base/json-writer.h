/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-slice.h"

#include <string.h>

G_BEGIN_DECLS

/**
 * HarkJsonWriter:
 *
 * Writes JSON by appending to one buffer that grows, commas of its own accord. Lives on the stack or inside another
 * struct, and is meant to be kept and reset: then it allocates only while messages still get longer. The room it leaves
 * in front takes a WebSocket header, so that a frame is written where its payload was. What it writes is valid JSON
 * when what it is given is valid UTF-8 and (raw) valid JSON; values in the wrong place are a programmer's mistake.
 */
typedef struct
{
  /*< private >*/
  char *data;      /* (owned) (nullable): @headroom bytes, then @len, then room */
  gsize headroom;  /* bytes in front of the text */
  gsize len;       /* bytes of the text */
  gsize size;      /* bytes of @data */
  guint64 objects; /* bit n: the container at depth n + 1 is an object */
  guint depth;
  gboolean needs_comma;
  gboolean is_named; /* a member's name was written, its value is due */
} HarkJsonWriter;

void hark_json_writer_init (HarkJsonWriter *self, gsize headroom);
void hark_json_writer_clear (HarkJsonWriter *self);
void hark_json_writer_reset (HarkJsonWriter *self);
char *hark_json_writer_peek (HarkJsonWriter *self, gsize *len);
char *hark_json_writer_steal (HarkJsonWriter *self, gsize *len);

void hark_json_writer_begin_object (HarkJsonWriter *self);
void hark_json_writer_end_object (HarkJsonWriter *self);
void hark_json_writer_begin_array (HarkJsonWriter *self);
void hark_json_writer_end_array (HarkJsonWriter *self);

void hark_json_writer_member_len (HarkJsonWriter *self, const char *name, gsize len);
void hark_json_writer_string_len (HarkJsonWriter *self, const char *text, gsize len);
void hark_json_writer_int (HarkJsonWriter *self, gint64 value);
void hark_json_writer_boolean (HarkJsonWriter *self, gboolean value);
void hark_json_writer_null (HarkJsonWriter *self);
void hark_json_writer_id (HarkJsonWriter *self, gint64 id);
void hark_json_writer_time_ms (HarkJsonWriter *self, gint64 real_ms);
void hark_json_writer_raw (HarkJsonWriter *self, const char *data, gsize len);
void hark_json_writer_members_raw (HarkJsonWriter *self, const char *data, gsize len);

/**
 * hark_json_writer_member:
 * @name: ASCII that needs no escape
 *
 * Begins a member; its value must follow.
 */
static inline void
hark_json_writer_member (HarkJsonWriter *self, const char *name)
{
  hark_json_writer_member_len (self, name, strlen (name));
}

/* @text: (nullable): valid UTF-8; null is written for %NULL. */
static inline void
hark_json_writer_string (HarkJsonWriter *self, const char *text)
{
  if (text != NULL)
    hark_json_writer_string_len (self, text, strlen (text));
  else
    hark_json_writer_null (self);
}

static inline void
hark_json_writer_member_string (HarkJsonWriter *self, const char *name, const char *text)
{
  hark_json_writer_member (self, name);
  hark_json_writer_string (self, text);
}

static inline void
hark_json_writer_member_int (HarkJsonWriter *self, const char *name, gint64 value)
{
  hark_json_writer_member (self, name);
  hark_json_writer_int (self, value);
}

static inline void
hark_json_writer_member_id (HarkJsonWriter *self, const char *name, gint64 id)
{
  hark_json_writer_member (self, name);
  hark_json_writer_id (self, id);
}

static inline void
hark_json_writer_member_boolean (HarkJsonWriter *self, const char *name, gboolean value)
{
  hark_json_writer_member (self, name);
  hark_json_writer_boolean (self, value);
}

static inline void
hark_json_writer_member_time (HarkJsonWriter *self, const char *name, gint64 real_ms)
{
  hark_json_writer_member (self, name);
  hark_json_writer_time_ms (self, real_ms);
}

static inline void
hark_json_writer_member_raw (HarkJsonWriter *self, const char *name, const char *data, gsize len)
{
  hark_json_writer_member (self, name);
  hark_json_writer_raw (self, data, len);
}

/* A member as a reader found it: @name between its quotes, @raw the whole value. */
static inline void
hark_json_writer_forward (HarkJsonWriter *self, HarkJsonSlice name, HarkJsonSlice raw)
{
  hark_json_writer_member_len (self, name.data, name.len);
  hark_json_writer_raw (self, raw.data, raw.len);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HarkJsonWriter, hark_json_writer_clear)

G_END_DECLS
