/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"
#include "daemon/logbook.h"
#include "daemon/service-manager.h"

G_BEGIN_DECLS

/**
 * HarkDescriptorStore:
 *
 * The connections that the service manager keeps beside us, each under the name of its slot in the logbook: those of
 * whose sessions hark_descriptor_store_add () was told, until these end.
 */
typedef struct _HarkDescriptorStore HarkDescriptorStore;

/* What it must know of a connection. Returns: its descriptor; -1: it cannot be gone on with elsewhere */
typedef int (*HarkDescriptorFunc) (HarkSession *session, guint32 *mark_flags, gpointer data);

HarkDescriptorStore *hark_descriptor_store_new (HarkServiceManager *manager, HarkHub *hub, HarkMetrics *metrics,
                                                guint max, HarkDescriptorFunc func, gpointer data, GError **error);
void hark_descriptor_store_free (HarkDescriptorStore *self);
HarkTransportLog *hark_descriptor_store_get_log (HarkDescriptorStore *self);
void hark_descriptor_store_adopt (HarkDescriptorStore *self, HarkSession *session, int slot);
void hark_descriptor_store_publish (HarkDescriptorStore *self);
void hark_descriptor_store_drop (HarkDescriptorStore *self, guint slot);
int hark_descriptor_store_get_slot (HarkDescriptorStore *self, HarkSession *session);

/* What a slot's descriptor is called. */
#define HARK_DESCRIPTOR_NAME_LEN 16
const char *hark_descriptor_name (guint slot, char out[HARK_DESCRIPTOR_NAME_LEN]);
gboolean hark_descriptor_parse_name (const char *name, guint *slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkDescriptorStore, hark_descriptor_store_free)

G_END_DECLS
