// librdkafka and its mock cluster, which the embedded broker serves. The second header needs the first.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
