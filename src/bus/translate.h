/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-writer.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Annotations of the XML that say how a method is carried out; org.hark.Hub1.xml explains them. */
#define HARK_BUS_ANNOTATION_ACTION "org.hark.Action"
#define HARK_BUS_ANNOTATION_COMMAND "org.hark.Command"
#define HARK_BUS_ANNOTATION_UNSET "org.hark.Unset"
#define HARK_BUS_ANNOTATION_JSON "org.hark.Json"
#define HARK_BUS_ANNOTATION_FIELDS "org.hark.Fields"
#define HARK_BUS_ANNOTATION_MEMBERS "org.hark.Members"

/* Bytes of JSON that the arguments of one call may come to. */
#define HARK_BUS_MAX_ARGUMENTS (1 << 20)

char *hark_bus_translate_arguments (const GDBusMethodInfo *method, GVariant *arguments, GError **error);
gboolean hark_bus_translate_json (HarkJsonWriter *writer, const char *name, const char *text, GError **error);
GVariant *hark_bus_translate_reply (const GDBusMethodInfo *method, const char *json, gsize len, GError **error);

G_END_DECLS
