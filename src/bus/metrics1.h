/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"
#include "hark-bus-generated.h"

G_BEGIN_DECLS

#define HARK_TYPE_BUS_METRICS1 (hark_bus_metrics1_object_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusMetrics1Object, hark_bus_metrics1_object, HARK, BUS_METRICS1_OBJECT,
                      HarkBusMetrics1Skeleton)

HarkBusMetrics1Object *hark_bus_metrics1_object_new (HarkMetrics *metrics);

G_END_DECLS
