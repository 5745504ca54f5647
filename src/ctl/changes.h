/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/invocation.h"

G_BEGIN_DECLS

/* Which option changes which field. */
typedef enum
{
  HARK_CTL_CHANGE_TEXT,
  HARK_CTL_CHANGE_BOOLEAN,
  HARK_CTL_CHANGE_NUMBER,
  HARK_CTL_CHANGE_LIST /* of words, with commas between them */
} HarkCtlChangeKind;

typedef struct
{
  const char *option; /* %NULL ends the list */
  const char *field;
  HarkCtlChangeKind kind;
} HarkCtlChange;

GStrv hark_ctl_split_list (const char *text);
GVariant *hark_ctl_collect_changes (HarkCtlInvocation *invocation, const HarkCtlChange *changes,
                                    GVariantBuilder *builder, GError **error);

G_END_DECLS
