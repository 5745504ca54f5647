/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"
#include "ctl/invocation.h"

/* What the table of commands refers to: one file per noun. */

gboolean hark_ctl_status (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);

gboolean hark_ctl_user_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_user_show (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_user_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_user_set_password (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_user_set (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_user_delete (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);

gboolean hark_ctl_token_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_token_create (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_token_revoke (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);

gboolean hark_ctl_server_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_server_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_server_set (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_server_delete (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);

gboolean hark_ctl_member_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_member_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_member_nick (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_member_remove (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);

gboolean hark_ctl_channel_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_channel_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_channel_set (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_channel_delete (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);

gboolean hark_ctl_role_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_role_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_role_set (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_role_delete (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_role_assign (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_role_unassign (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_grant_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_grant_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_grant_remove (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);

gboolean hark_ctl_sessions_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_sessions_show (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_sessions_disconnect (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);

gboolean hark_ctl_emit (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_sockets_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_sockets_join (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_sockets_leave (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_sockets_disconnect (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);

gboolean hark_ctl_publish (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_notify (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_monitor (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_metrics (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_reload (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_drain (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_upgrade (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
gboolean hark_ctl_help (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
