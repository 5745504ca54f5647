/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.hark.Metrics1: the registry of figures, as D-Bus values. */
#include "bus/metrics1.h"

struct _HarkBusMetrics1Object
{
  HarkBusMetrics1Skeleton parent_instance;
  HarkMetrics *metrics; /* (owned) */
};

static void metrics1_iface_init (HarkBusMetrics1Iface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HarkBusMetrics1Object, hark_bus_metrics1_object, HARK_BUS_TYPE_METRICS1_SKELETON,
                               G_IMPLEMENT_INTERFACE (HARK_BUS_TYPE_METRICS1, metrics1_iface_init))

static void
hark_bus_metrics1_object_dispose (GObject *object)
{
  g_clear_object (&HARK_BUS_METRICS1_OBJECT (object)->metrics);
  G_OBJECT_CLASS (hark_bus_metrics1_object_parent_class)->dispose (object);
}

static void
hark_bus_metrics1_object_class_init (HarkBusMetrics1ObjectClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_bus_metrics1_object_dispose;
}

static void
hark_bus_metrics1_object_init (HarkBusMetrics1Object *self)
{
}

/* Returns: (transfer floating): an a{sd} in seconds */
static GVariant *
new_histogram (const HarkHistogram *histogram)
{
  static const struct
  {
    const char *name;
    double quantile;
  } quantiles[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 } };
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{sd}"));
  g_variant_builder_add (&builder, "{sd}", "count", (double)hark_counter_get (&histogram->count));
  g_variant_builder_add (&builder, "{sd}", "sum", hark_counter_get (&histogram->sum) / 1e6);
  for (guint i = 0; i < G_N_ELEMENTS (quantiles); i++)
    g_variant_builder_add (&builder, "{sd}", quantiles[i].name,
                           hark_histogram_get_quantile (histogram, quantiles[i].quantile) / 1e6);
  return g_variant_builder_end (&builder);
}

static void
add_metric (const HarkMetric *metric, gpointer data)
{
  g_variant_builder_add (data, "{sv}", metric->name,
                         metric->kind == HARK_METRIC_HISTOGRAM
                           ? new_histogram (metric->histogram)
                           : g_variant_new_int64 (hark_counter_get (metric->counter)));
}

static gboolean
handle_get_all (HarkBusMetrics1 *metrics1, GDBusMethodInvocation *invocation)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  hark_metrics_foreach (HARK_BUS_METRICS1_OBJECT (metrics1)->metrics, add_metric, &builder);
  hark_bus_metrics1_complete_get_all (metrics1, invocation, g_variant_builder_end (&builder));
  return TRUE;
}

static void
metrics1_iface_init (HarkBusMetrics1Iface *iface)
{
  iface->handle_get_all = handle_get_all;
}

HarkBusMetrics1Object *
hark_bus_metrics1_object_new (HarkMetrics *metrics)
{
  HarkBusMetrics1Object *self = g_object_new (HARK_TYPE_BUS_METRICS1, NULL);
  self->metrics = g_object_ref (metrics);
  return self;
}
