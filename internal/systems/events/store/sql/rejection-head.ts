/** The columns of an EventRejectionHead. */
export const REJECTION_HEAD = `
  queue_message_id AS "queueMessageId", origin_queue_message_id AS origin,
  client_name AS "clientId", event_type_name AS "eventType", message_id AS "messageId", reason,
  violations, receive_count AS "receiveCount", sent_at AS "sentAt", received_at AS "receivedAt",
  redriven_at AS "redrivenAt", octet_length(body) AS "bodyBytes"`
