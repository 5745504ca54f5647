/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

G_BEGIN_DECLS

char *hark_ctl_resolve_user (HarkCtl *ctl, const char *text, GError **error);
char *hark_ctl_resolve_server (HarkCtl *ctl, const char *text, GError **error);
char *hark_ctl_resolve_channel (HarkCtl *ctl, const char *text, GError **error);

GVariant *hark_ctl_get_servers (HarkCtl *ctl, GError **error);
GVariant *hark_ctl_get_channels (HarkCtl *ctl, const char *server_id, GError **error);

char *hark_ctl_resolve_role (HarkCtl *ctl, const char *text, GError **error);

G_END_DECLS
