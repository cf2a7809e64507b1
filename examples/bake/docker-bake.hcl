# Builds both examples through the imgmgr frontend without a change in their
# Dockerfiles: BUILDKIT_SYNTAX names the frontend from outside.
#
#   FRONTEND=localhost:5000/imgmgr-frontend docker buildx bake

variable "FRONTEND" {
  default = "imgmgr/imgmgr-frontend"
}

group "default" {
  targets = ["node-api", "go-service"]
}

target "frontend" {
  args = {
    BUILDKIT_SYNTAX = FRONTEND
  }
}

target "node-api" {
  inherits = ["frontend"]
  context  = "../node-api"
  tags     = ["node-api"]
}

target "go-service" {
  inherits = ["frontend"]
  context  = "../go-service"
  tags     = ["go-service"]
}
