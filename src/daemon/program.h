/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * HarkProgram:
 *
 * The program that this process was started as, by its path: after an upgrade of the package that is the new one.
 */
typedef struct _HarkProgram HarkProgram;

HarkProgram *hark_program_new (char *const *argv);
void hark_program_free (HarkProgram *self);
void hark_program_check_async (HarkProgram *self, GAsyncReadyCallback callback, gpointer data);
gboolean hark_program_check_finish (GAsyncResult *result, GError **error);
void hark_program_execute (HarkProgram *self, int handoff_fd, GError **error);
int hark_program_take_handoff_fd (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkProgram, hark_program_free)

G_END_DECLS
