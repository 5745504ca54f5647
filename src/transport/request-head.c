/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A strict reader of HTTP/1 request heads (RFC 9112), for what must hold before libsoup sees a request: libsoup takes
 * bare line feeds, folded lines and two Hosts, drops header lines it does not understand, reads 64 KiB of head from
 * whoever sends them and keeps each unknown method's name for the life of the process. No allocation: a head is
 * cut up where it lies.
 */
#include "transport/request-head.h"

#include <string.h>

static const HarkRefusal bad_line = { 400, HARK_ERROR_BAD_REQUEST, "request line: not METHOD /path HTTP/1.1", NULL };
static const HarkRefusal bad_method = { 501, HARK_ERROR_BAD_REQUEST, "method: not known here", NULL };
static const HarkRefusal bad_target = { 400, HARK_ERROR_BAD_REQUEST, "request target: not a path", NULL };
static const HarkRefusal bad_version
  = { 505, HARK_ERROR_BAD_REQUEST, "HTTP version: 1.0 and 1.1 are spoken here", NULL };
static const HarkRefusal bad_field = { 400, HARK_ERROR_BAD_REQUEST, "header: a line is not Name: value", NULL };
static const HarkRefusal many_fields = { 431, HARK_ERROR_TOO_LARGE, "header: too many fields", NULL };

/* The characters of RFC 9110's token, as one bit each. */
static const guint32 token_chars[8] = { 0, 0x03FF6CFA, 0xC7FFFFFE, 0x57FFFFFF, 0, 0, 0, 0 };

static inline gboolean
is_token_char (char c)
{
  guint8 u = c;
  return (token_chars[u >> 5] >> (u & 31)) & 1;
}

gboolean
hark_request_is_token (const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (!is_token_char (text[i]))
      return FALSE;
  return len > 0;
}

/**
 * hark_request_head_find_end:
 * @scanned: (inout): how far earlier calls with the beginning of the same bytes have looked
 *
 * Returns: the bytes of the head with its empty line, or 0 when that has not come. An end in bare line feeds counts:
 *   whoever sends them shall hear that they are wrong now and not at the deadline.
 */
gsize
hark_request_head_find_end (const char *data, gsize len, gsize *scanned)
{
  const char *p = data + *scanned;
  const char *end = data + len;
  while ((p = memchr (p, '\n', end - p)) != NULL)
    {
      p++;
      if (p < end && *p == '\n')
        return p + 1 - data;
      if (end - p >= 2 && p[0] == '\r' && p[1] == '\n')
        return p + 2 - data;
    }
  *scanned = len > 2 ? len - 2 : 0;
  return 0;
}

/* Cuts the line at @data off: its CRLF becomes 0 bytes. Returns: the next line's start, or %NULL without a CRLF */
static char *
cut_line (char *data, char *end)
{
  char *eol = memchr (data, '\n', end - data);
  if (eol == NULL || eol == data || eol[-1] != '\r')
    return NULL;
  eol[-1] = '\0';
  *eol = '\0';
  return eol + 1;
}

static const HarkRefusal *
parse_request_line (HarkRequestHead *self, char *line, gsize len)
{
  static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };
  char *target = memchr (line, ' ', len);
  char *version = target == NULL ? NULL : memchr (target + 1, ' ', line + len - target - 1);
  char *query;
  if (version == NULL || strlen (line) != len)
    return &bad_line;
  *target++ = '\0';
  *version++ = '\0';
  if (!hark_request_is_token (line, strlen (line)))
    return &bad_line;
  if (strncmp (version, "HTTP/", 5) != 0 || strlen (version) != 8 || version[6] != '.')
    return &bad_line;
  if (strcmp (version, "HTTP/1.1") != 0 && strcmp (version, "HTTP/1.0") != 0)
    return &bad_version;
  self->minor = version[7] - '0';
  self->method = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strcmp (line, methods[i]) == 0)
      self->method = methods[i];
  if (self->method == NULL)
    return &bad_method;
  if (*target != '/')
    return &bad_target;
  for (const char *p = target; *p != '\0'; p++)
    if (*p <= ' ' || *p >= 0x7F || strchr ("\"<>\\^`{|}#", *p) != NULL)
      return &bad_target;
  query = strchr (target, '?');
  if (query != NULL)
    *query++ = '\0';
  self->path = target;
  self->query = query;
  return NULL;
}

static gboolean
parse_field (HarkRequestField *field, char *line, gsize len)
{
  char *colon = memchr (line, ':', len);
  char *value;
  char *end = line + len;
  if (colon == NULL || !hark_request_is_token (line, colon - line))
    return FALSE;
  for (value = colon + 1; *value == ' ' || *value == '\t'; value++)
    ;
  while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  for (const char *p = value; p < end; p++)
    if (((guint8)*p < ' ' && *p != '\t') || *p == 0x7F)
      return FALSE;
  *colon = '\0';
  *end = '\0';
  field->name = line;
  field->value = value;
  return TRUE;
}

/**
 * hark_request_head_parse:
 * @data: (inout): the head with its empty line, as hark_request_head_find_end () measured it; cut up in place
 * @max_fields: at most %HARK_REQUEST_MAX_FIELDS
 *
 * Returns: (nullable): what is wrong with it
 */
const HarkRefusal *
hark_request_head_parse (HarkRequestHead *self, char *data, gsize len, guint max_fields)
{
  const HarkRefusal *refusal;
  char *end = data + len;
  char *line = data;
  char *next;
  self->n_fields = 0;
  if (len > 2 && memcmp (line, "\r\n", 2) == 0) /* one empty line before a request is put up with: RFC 9112, 2.2 */
    line += 2;
  next = cut_line (line, end);
  if (next == NULL)
    return &bad_line;
  refusal = parse_request_line (self, line, next - 2 - line);
  if (refusal != NULL)
    return refusal;
  for (line = next; (next = cut_line (line, end)) != NULL && *line != '\0'; line = next)
    {
      if (self->n_fields >= max_fields)
        return &many_fields;
      if (!parse_field (&self->fields[self->n_fields++], line, next - 2 - line))
        return &bad_field;
    }
  return next != end ? &bad_field : NULL;
}

/**
 * hark_request_head_get:
 * @count: (out) (optional): how many fields of that name there are
 *
 * Returns: (nullable): the value of the first
 */
const char *
hark_request_head_get (const HarkRequestHead *self, const char *name, guint *count)
{
  const char *value = NULL;
  guint n = 0;
  for (guint i = 0; i < self->n_fields; i++)
    if (g_ascii_strcasecmp (self->fields[i].name, name) == 0)
      {
        if (n++ == 0)
          value = self->fields[i].value;
      }
  if (count != NULL)
    *count = n;
  return value;
}

const char *
hark_request_list_next (const char **rest, gsize *len)
{
  const char *start = *rest;
  const char *end;
  while (*start == ',' || *start == ' ' || *start == '\t')
    start++;
  if (*start == '\0')
    return NULL;
  end = start + strcspn (start, ",");
  *rest = end;
  while (end[-1] == ' ' || end[-1] == '\t')
    end--;
  *len = end - start;
  return start;
}

/* Returns: whether the fields called @name, as a list, hold @token in any case of letters */
gboolean
hark_request_head_has_token (const HarkRequestHead *self, const char *name, const char *token)
{
  gsize token_len = strlen (token);
  for (guint i = 0; i < self->n_fields; i++)
    {
      const char *rest = self->fields[i].value;
      const char *item;
      gsize len;
      if (g_ascii_strcasecmp (self->fields[i].name, name) != 0)
        continue;
      while ((item = hark_request_list_next (&rest, &len)) != NULL)
        if (len == token_len && g_ascii_strncasecmp (item, token, len) == 0)
          return TRUE;
    }
  return FALSE;
}

/* Returns: (transfer full) (nullable): all fields called @name as one list; %NULL for none or more than @max_len */
char *
hark_request_head_join (const HarkRequestHead *self, const char *name, gsize max_len)
{
  g_autoptr (GString) all = g_string_new (NULL);
  for (guint i = 0; i < self->n_fields; i++)
    if (g_ascii_strcasecmp (self->fields[i].name, name) == 0)
      {
        if (all->len > 0)
          g_string_append (all, ", ");
        g_string_append (all, self->fields[i].value);
        if (all->len > max_len)
          return NULL;
      }
  return all->len == 0 ? NULL : g_strdup (all->str);
}
