// Kafka as librdkafka speaks it: a producer and a consumer.
#pragma once

#include "bench/ordering/bare_client.h"

namespace synod::bench {

Result<std::unique_ptr<BareClient>> make_bare_kafka(const std::string& brokers, const std::string& topic,
                                                    std::shared_ptr<EventLoop> loop);

}  // namespace synod::bench
