/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/clock.h"

G_BEGIN_DECLS

/**
 * HarkPassedSocket:
 *
 * A listening socket that the service manager opened for us.
 */
typedef struct
{
  int fd;     /* (owned) */
  char *name; /* (owned): FileDescriptorName= of the socket unit */
} HarkPassedSocket;

#define HARK_TYPE_SERVICE_MANAGER (hark_service_manager_get_type ())
G_DECLARE_FINAL_TYPE (HarkServiceManager, hark_service_manager, HARK, SERVICE_MANAGER, GObject)

HarkServiceManager *hark_service_manager_new (HarkClock *clock);
void hark_service_manager_ready (HarkServiceManager *self, const char *status);
void hark_service_manager_status (HarkServiceManager *self, const char *status);
void hark_service_manager_reloading (HarkServiceManager *self);
void hark_service_manager_stopping (HarkServiceManager *self, const char *status);
gboolean hark_service_manager_is_there (HarkServiceManager *self);
GArray *hark_service_manager_take_sockets (HarkServiceManager *self, GError **error);

/* What it keeps for the next process. */
#define HARK_STORED_STATE "state"     /* what a process that has ended knew of its connections */
#define HARK_STORED_LOGBOOK "logbook" /* what one that was killed has left */
void hark_service_manager_store_fd (HarkServiceManager *self, int fd, const char *name);
void hark_service_manager_remove_stored (HarkServiceManager *self, const char *name);
void hark_service_manager_sync (HarkServiceManager *self);
int hark_service_manager_take_stored (HarkServiceManager *self, const char *name);
void hark_service_manager_drop_stored (HarkServiceManager *self);

G_END_DECLS
