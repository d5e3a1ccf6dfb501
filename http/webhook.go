package http

const webhookPath = "/api/payment/request-network/webhook"
