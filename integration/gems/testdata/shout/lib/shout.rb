require "letters"

# Says it louder.
module Shout
  def self.at(text) = Letters.upper(text) + "!"
end
