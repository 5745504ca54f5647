/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/transport-mark.h"

G_BEGIN_DECLS

/**
 * HarkLogbook:
 *
 * Where each connection stands, in a memfd that the service manager keeps: what a process that is killed could not say,
 * the next one reads here. Slots are numbers from 0; a connection's is that of its descriptor in the service manager's
 * store.
 */
typedef struct _HarkLogbook HarkLogbook;

HarkLogbook *hark_logbook_new (guint n_slots, GError **error);
HarkLogbook *hark_logbook_open (int fd, GError **error);
void hark_logbook_free (HarkLogbook *self);
int hark_logbook_get_fd (HarkLogbook *self);
HarkTransportLog *hark_logbook_get_log (HarkLogbook *self);
guint hark_logbook_get_n_slots (HarkLogbook *self);

HarkTransportMark *hark_logbook_claim (HarkLogbook *self, guint slot, gint64 session_id, guint32 flags);
void hark_logbook_release (HarkLogbook *self, guint slot);

/* What the process before has written. */
gint64 hark_logbook_get_session (HarkLogbook *self, guint slot);
guint32 hark_logbook_get_flags (HarkLogbook *self, guint slot);
gint64 hark_logbook_get_rev (HarkLogbook *self, guint slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkLogbook, hark_logbook_free)

G_END_DECLS
