/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The native protocol: one JSON object a message, `type` names the request and `ref` comes back. It keeps nothing
 * between messages, so one object serves all sessions. doc/protocol.md is its reference.
 */
#include "protocol/native.h"

#include "base/error.h"
#include "core/session.h"

/* What a message without `type` and with `message` is (the source's `send_message`): something for the back end. */
#define CLIENT_MESSAGE "client_message"

static gboolean
find_ref (const HarkJsonObject *args, HarkJsonSlice *ref, GError **error)
{
  const HarkJsonValue *value = hark_json_object_get (args, "ref");
  if (value == NULL || value->token == HARK_JSON_NULL)
    return TRUE;
  if (value->token != HARK_JSON_STRING && value->token != HARK_JSON_INTEGER && value->token != HARK_JSON_NUMBER)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"ref\" must be a string or a number");
      return FALSE;
    }
  if (value->raw.len > HARK_NATIVE_MAX_REF)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"ref\" is longer than %d bytes", HARK_NATIVE_MAX_REF);
      return FALSE;
    }
  *ref = value->raw;
  return TRUE;
}

/**
 * hark_native_decode:
 * @data: (array length=len): a message
 * @request: (out caller-allocates): also on failure, @ref is what could be found of it
 *
 * Returns: whether it is a request; otherwise %HARK_ERROR_BAD_REQUEST or %HARK_ERROR_TOO_LARGE, naming the field
 */
gboolean
hark_native_decode (const char *data, gsize len, HarkNativeRequest *request, GError **error)
{
  request->type = (HarkJsonSlice){ NULL, 0 };
  request->ref = (HarkJsonSlice){ NULL, 0 };
  if (!hark_json_object_parse (&request->args, data, len, error) || !find_ref (&request->args, &request->ref, error))
    return FALSE;
  if (hark_json_object_get (&request->args, "type") == NULL && hark_json_object_get (&request->args, "message") != NULL)
    {
      request->type = (HarkJsonSlice){ CLIENT_MESSAGE, strlen (CLIENT_MESSAGE) };
      return TRUE;
    }
  return hark_json_object_get_text (&request->args, "type", HARK_FIELD_REQUIRED, &request->type, error);
}

struct _HarkNative
{
  GObject parent_instance;
};

static void
native_receive (HarkProtocol *protocol, HarkSession *session, const guint8 *data, gsize len, gboolean binary)
{
  HarkNativeRequest request;
  g_autoptr (GError) error = NULL;
  if (binary)
    {
      g_set_error (&error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "a message is text, not binary");
      hark_session_refuse (session, NULL, 0, error);
      return;
    }
  if (hark_native_decode ((const char *)data, len, &request, &error))
    hark_session_command (session, request.type.data, request.type.len, request.ref.data, request.ref.len,
                          &request.args);
  else
    hark_session_refuse (session, request.ref.data, request.ref.len, error);
}

static void
protocol_iface_init (HarkProtocolInterface *iface)
{
  iface->name = "native";
  iface->receive = native_receive;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (HarkNative, hark_native, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_PROTOCOL, protocol_iface_init))

static void
hark_native_class_init (HarkNativeClass *klass)
{
}

static void
hark_native_init (HarkNative *self)
{
}

/* Returns: (transfer full): the protocol, for any number of sessions */
HarkProtocol *
hark_native_new (void)
{
  return g_object_new (HARK_TYPE_NATIVE, NULL);
}
