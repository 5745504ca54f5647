/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Permissions by name, as they stand in messages: a list of words rather than a number that clients would decode. */
#include "chat/permissions.h"

#include "base/error.h"

static const struct
{
  HarkPermission permission;
  const char *name;
} known[] = {
  { HARK_PERMISSION_MANAGE_SERVER, "manage_server" },   { HARK_PERMISSION_MANAGE_CHANNELS, "manage_channels" },
  { HARK_PERMISSION_MANAGE_ROLES, "manage_roles" },     { HARK_PERMISSION_MANAGE_MESSAGES, "manage_messages" },
  { HARK_PERMISSION_MANAGE_NICKS, "manage_nicks" },     { HARK_PERMISSION_KICK_MEMBERS, "kick_members" },
  { HARK_PERMISSION_INVITE_MEMBERS, "invite_members" },
};

/* Returns: (nullable): %NULL for the owner's right, which is no permission */
const char *
hark_permission_get_name (HarkPermission permission)
{
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (known[i].permission == permission)
      return known[i].name;
  return NULL;
}

static gboolean
find (HarkJsonSlice text, guint *permissions)
{
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (hark_json_slice_equal (text, known[i].name))
      {
        *permissions |= known[i].permission;
        return TRUE;
      }
  return FALSE;
}

/**
 * hark_permissions_read:
 * @given: (out): whether there is such a field, which may be an empty list
 *
 * Returns: %FALSE with %HARK_ERROR_BAD_REQUEST when there is one that is no list of names of permissions
 */
gboolean
hark_permissions_read (const HarkJsonObject *args, const char *field, gboolean *given, guint *permissions,
                       GError **error)
{
  HarkJsonSlice raw = { NULL, 0 };
  HarkJsonReader reader;
  HarkJsonToken token;
  *given = FALSE;
  *permissions = 0;
  if (!hark_json_object_get_raw_array (args, field, HARK_FIELD_OPTIONAL, &raw, error))
    return FALSE;
  if (raw.data == NULL)
    return TRUE;
  *given = TRUE;
  hark_json_reader_init (&reader, raw.data, raw.len);
  hark_json_reader_next (&reader, NULL); /* the bracket: all of it was checked before */
  while ((token = hark_json_reader_next (&reader, NULL)) != HARK_JSON_END_ARRAY)
    if (token != HARK_JSON_STRING || !find (reader.slice, permissions))
      {
        g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"%s\" has something in it that is no permission",
                     field);
        return FALSE;
      }
  return TRUE;
}

void
hark_permissions_write (HarkJsonWriter *json, const char *member, guint permissions)
{
  hark_json_writer_member (json, member);
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (permissions & known[i].permission)
      hark_json_writer_string (json, known[i].name);
  hark_json_writer_end_array (json);
}
