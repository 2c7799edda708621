// Shows the API's schema. The key that a reader enters stays in this browser tab.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  layout: "BaseLayout",
});
