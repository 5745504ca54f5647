/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hark-bus-generated.h"

G_BEGIN_DECLS

#define HARK_BUS_NAME "org.hark.Hub1"
#define HARK_BUS_PATH "/org/hark/Hub1"

/* Rows of a page of a listing. */
#define HARK_CTL_PAGE 256

/**
 * HarkCtl:
 *
 * One run of harkctl: where the hub is, and how what it says is printed.
 */
typedef struct _HarkCtl HarkCtl;

typedef enum
{
  HARK_CTL_CELL_TEXT,
  HARK_CTL_CELL_NUMBER, /* aligned to the right */
} HarkCtlCell;

typedef struct
{
  const char *field; /* of the rows; %NULL ends the list */
  const char *title; /* to be translated */
  HarkCtlCell cell;
} HarkCtlColumn;

HarkCtl *hark_ctl_new (GBusType type, const char *address, gboolean json, gboolean legend);
void hark_ctl_free (HarkCtl *self);
gboolean hark_ctl_is_json (HarkCtl *self);
GDBusConnection *hark_ctl_get_connection (HarkCtl *self, GError **error);
HarkBusHub1 *hark_ctl_get_hub (HarkCtl *self, GError **error);
HarkBusDirectory1 *hark_ctl_get_directory (HarkCtl *self, GError **error);
HarkBusSocketIO1 *hark_ctl_get_socketio (HarkCtl *self, GError **error);

/* One page of something: its rows (aa{sv}) and where the next begins. */
typedef gboolean (*HarkCtlPageFunc) (HarkCtl *self, const char *after, gpointer data, GVariant **rows, char **next,
                                     GError **error);
GVariant *hark_ctl_get_all (HarkCtl *self, HarkCtlPageFunc get_page, gpointer data, GError **error);

void hark_ctl_print (HarkCtl *self, const char *text);
void hark_ctl_print_rows (HarkCtl *self, GVariant *rows, const HarkCtlColumn *columns);
void hark_ctl_print_object (HarkCtl *self, GVariant *object, const HarkCtlColumn *fields);
void hark_ctl_print_done (HarkCtl *self, const char *field, const char *value);

int hark_ctl_get_exit_code (const GError *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkCtl, hark_ctl_free)

G_END_DECLS
