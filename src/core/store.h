/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/transaction.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define HARK_TYPE_STORE (hark_store_get_type ())
G_DECLARE_INTERFACE (HarkStore, hark_store, HARK, STORE, GObject)

/**
 * HarkWork:
 * @data: the work's own; nobody else touches it while the work runs
 *
 * A piece of work in the writer's or a reader's thread.
 *
 * Returns: %FALSE with @error when it failed: whatever it wrote is undone, without harm to the works that share its
 *   commit
 */
typedef gboolean (*HarkWork) (HarkTransaction *transaction, gpointer data, GError **error);

/**
 * HarkWorkDone:
 * @data: the work's data, with what it found
 * @error: (nullable): the work's error, or why it could not be run or committed
 *
 * The end of a piece of work, in the context in which it was asked for.
 */
typedef void (*HarkWorkDone) (gpointer data, const GError *error, gpointer user_data);

/**
 * HarkCommitted:
 * @events: (element-type HarkEvent): what one piece of work emitted, in order
 *
 * Called in the hub's context for each committed work that emitted something, in commit order, before its done
 * callback.
 */
typedef void (*HarkCommitted) (GPtrArray *events, gpointer user_data);

/**
 * HarkStore:
 *
 * Where things outlive the process. The port is transactions, not a method per thing: each concern owns its tables.
 *
 * write () is called in the hub's context only; works run one after another in the writer's thread, several sharing a
 * commit, each inside a savepoint of its own; done callbacks come in the same order, after the commit. read () may be
 * called from any thread; the callback comes in that thread's default context; reads run side by side and see all that
 * was committed before they were asked for.
 *
 * Both queues are bounded; beyond the bound the work is not run and done gets %HARK_ERROR_OVERLOADED (never from
 * within the call itself).
 */
struct _HarkStoreInterface
{
  GTypeInterface parent_iface;
  void (*write) (HarkStore *self, HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done,
                 gpointer user_data);
  void (*read) (HarkStore *self, HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done,
                gpointer user_data);
  void (*set_committed) (HarkStore *self, HarkCommitted func, gpointer user_data);
};

void hark_store_write (HarkStore *self, HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done,
                       gpointer user_data);
void hark_store_read (HarkStore *self, HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done,
                      gpointer user_data);
void hark_store_set_committed (HarkStore *self, HarkCommitted func, gpointer user_data);

G_END_DECLS
